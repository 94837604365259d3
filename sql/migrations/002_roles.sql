-- Roles: who owns the objects, what the service may do, what an analyst may see.
-- Never edit this file after a release; add the next number instead.

-- Migrations run as the owner of the schema ops. This one makes that owner, as whoever migrates.
RESET ROLE;

-- Three group roles without login; people and programs get login roles of their own that are members of one of them:
-- CREATE ROLE ward_service LOGIN PASSWORD '...' IN ROLE vitalstream_service. Roles belong to the whole server, so
-- another database may have made them.
DO $$
DECLARE
    v_user     text := current_user;
    v_database text := current_database();
    v_role     text;
    v_object   record;
BEGIN
    FOREACH v_role IN ARRAY ARRAY['vitalstream_owner', 'vitalstream_service', 'vitalstream_analyst'] LOOP
        CONTINUE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = v_role);
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', v_role);
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN
                NULL; -- Another database's migration made it just now.
            WHEN insufficient_privilege THEN
                RAISE EXCEPTION 'role % is missing and % may not create roles: let a superuser type CREATE ROLE '
                    'vitalstream_owner; CREATE ROLE vitalstream_service; CREATE ROLE vitalstream_analyst; GRANT '
                    'vitalstream_owner TO %; then migrate again', v_role, v_user, quote_ident(v_user)
                    USING ERRCODE = '42501';
        END;
    END LOOP;

    -- Functions below run with their owner's rights: a superuser's would be anybody's way to everything.
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'vitalstream_owner' AND (rolsuper OR rolcreaterole)) THEN
        RAISE EXCEPTION 'role vitalstream_owner may do too much: let a superuser type ALTER ROLE vitalstream_owner '
            'NOSUPERUSER NOCREATEROLE; then migrate again' USING ERRCODE = '42501';
    END IF;

    -- Being a member is enough before version 16; from then on a membership says whether it allows SET ROLE.
    IF NOT pg_has_role(v_user, 'vitalstream_owner',
        CASE WHEN current_setting('server_version_num')::integer >= 160000 THEN 'SET' ELSE 'MEMBER' END)
    THEN
        BEGIN
            EXECUTE format('GRANT vitalstream_owner TO %I', v_user);
        EXCEPTION
            WHEN unique_violation THEN
                NULL;
            WHEN insufficient_privilege OR invalid_grant_operation THEN
                RAISE EXCEPTION '% is no member of vitalstream_owner: let a superuser type GRANT vitalstream_owner '
                    'TO %; then migrate again', v_user, quote_ident(v_user) USING ERRCODE = '42501';
        END;
    END IF;

    -- Without the right to grant, the server warns or refuses; what counts is what holds afterwards.
    BEGIN
        EXECUTE format('GRANT CREATE, CONNECT, TEMPORARY ON DATABASE %I TO vitalstream_owner', v_database);
        EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO vitalstream_service', v_database);
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO vitalstream_analyst', v_database);
        GRANT USAGE, CREATE ON SCHEMA public TO vitalstream_owner;
    EXCEPTION WHEN insufficient_privilege THEN
        NULL;
    END;
    IF NOT has_database_privilege('vitalstream_owner', v_database, 'CREATE')
        OR NOT has_schema_privilege('vitalstream_owner', 'public', 'CREATE')
        OR NOT has_database_privilege('vitalstream_service', v_database, 'CONNECT')
        OR NOT has_database_privilege('vitalstream_service', v_database, 'TEMPORARY')
        OR NOT has_database_privilege('vitalstream_analyst', v_database, 'CONNECT')
    THEN
        RAISE EXCEPTION '% may not grant rights on database %: let its owner or a superuser type GRANT CREATE, '
            'CONNECT, TEMPORARY ON DATABASE % TO vitalstream_owner; GRANT CONNECT, TEMPORARY ON DATABASE % TO '
            'vitalstream_service; GRANT CONNECT ON DATABASE % TO vitalstream_analyst; GRANT USAGE, CREATE ON SCHEMA '
            'public TO vitalstream_owner; then migrate again', v_user, v_database, quote_ident(v_database),
            quote_ident(v_database), quote_ident(v_database) USING ERRCODE = '42501';
    END IF;

    -- Everything so far was made by whoever migrated. Schemas come last: until then their present owner's rights are
    -- needed to reach what is in them.
    FOR v_object IN
        SELECT format('GRANT USAGE, CREATE ON SCHEMA %I TO vitalstream_owner', nspname) AS command, 1 AS place
        FROM pg_namespace WHERE nspname IN ('bronze', 'silver', 'gold', 'ops')
        UNION ALL
        SELECT format('ALTER TABLE %s OWNER TO vitalstream_owner', c.oid::regclass), 2
        FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'v', 'm') AND pg_get_userbyid(c.relowner) <> 'vitalstream_owner'
            AND (n.nspname IN ('bronze', 'silver', 'gold', 'ops')
                OR (n.nspname = 'public' AND c.relname = 'health_records'))
        UNION ALL
        SELECT format('ALTER ROUTINE %s OWNER TO vitalstream_owner', p.oid::regprocedure), 2
        FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
        WHERE n.nspname IN ('bronze', 'silver', 'gold', 'ops')
            AND pg_get_userbyid(p.proowner) <> 'vitalstream_owner'
        UNION ALL
        SELECT format('ALTER SCHEMA %I OWNER TO vitalstream_owner', nspname), 3
        FROM pg_namespace WHERE nspname IN ('bronze', 'silver', 'gold', 'ops')
        ORDER BY place
    LOOP
        EXECUTE v_object.command;
    END LOOP;
END
$$;

-- The rest, and every later migration, runs as the owner.
SET LOCAL ROLE vitalstream_owner;

-- Rights --------------------------------------------------------------------------------------------------------

-- What later migrations make: analysts read what stands in silver, gold and ops, the service reads everything, and no
-- function is anybody's. What the service may write, and what of bronze is no patient data, each migration grants.
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA bronze, silver, gold, ops GRANT SELECT ON TABLES TO vitalstream_service;
ALTER DEFAULT PRIVILEGES IN SCHEMA silver, gold, ops GRANT SELECT ON TABLES TO vitalstream_analyst;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA bronze, silver, gold, ops FROM PUBLIC;
GRANT USAGE ON SCHEMA bronze, silver, gold, ops TO vitalstream_service, vitalstream_analyst;
GRANT SELECT ON ALL TABLES IN SCHEMA bronze, silver, gold, ops TO vitalstream_service;
GRANT SELECT ON ALL TABLES IN SCHEMA silver, gold, ops TO vitalstream_analyst;
GRANT SELECT ON public.health_records TO vitalstream_service, vitalstream_analyst;

-- Payload and headers of a dead letter are patient data.
GRANT SELECT (topic, partition, "offset", reason, detail, received_at) ON bronze.dead_letter TO vitalstream_analyst;

-- Lanes. A reading's key is never changed.
GRANT INSERT, UPDATE (
    heart_rate, temperature, oxygen_saturation, respiratory_rate, systolic_pressure, diastolic_pressure,
    consciousness, supplemental_oxygen, suspect, source_partition, source_offset, origin_id
) ON silver.vital_reading TO vitalstream_service;
GRANT INSERT ON silver.vital_reading_history, silver.origin, bronze.dead_letter TO vitalstream_service;
GRANT INSERT, UPDATE ON ops.partition_progress TO vitalstream_service;
GRANT EXECUTE ON FUNCTION
    ops.take_over(text, text, integer, uuid, bigint),
    ops.advance(text, text, integer, uuid, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint,
        bigint, bigint, bigint),
    ops.end_blockers(text, text, integer),
    ops.apply_changes(integer)
TO vitalstream_service;

-- dead-letter retry; offsets set, which moves letters of a log that is gone to another topic name.
GRANT DELETE, UPDATE (topic) ON bronze.dead_letter TO vitalstream_service;
GRANT INSERT, UPDATE (consumer_group, topic) ON ops.dead_letter_retry TO vitalstream_service;

-- The service's only DDL, with the owner's rights. search_path is fixed, so that no name means something else.
ALTER FUNCTION silver.make_partitions(date, date) SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
GRANT EXECUTE ON FUNCTION silver.make_partitions(date, date) TO vitalstream_service;
