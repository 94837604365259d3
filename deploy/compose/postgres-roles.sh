#!/usr/bin/env bash
# The logins of docker-compose.secure.yml. The database's image runs it when the volume is made. Run it again after a
# password was changed: docker compose ... exec postgres bash /docker-entrypoint-initdb.d/10-roles.sh
# What a role may do, the migrations say; this makes who logs in as it.
psql -v ON_ERROR_STOP=1 -q --no-psqlrc -U "$POSTGRES_USER" -d "$POSTGRES_DB" <<'SQL'
\set migrate_password `cat /run/secrets/postgres-migrate.password`
\set serve_password `cat /run/secrets/postgres-serve.password`
\set analyst_password `cat /run/secrets/postgres-analyst.password`

SELECT format('CREATE ROLE %I NOLOGIN', name)
FROM unnest(ARRAY['vitalstream_owner', 'vitalstream_service', 'vitalstream_analyst']) AS name
WHERE name NOT IN (SELECT rolname FROM pg_roles)
\gexec
SELECT format('CREATE ROLE %I', name)
FROM unnest(ARRAY['vitalstream_migrate', 'vitalstream_serve', 'analyst']) AS name
WHERE name NOT IN (SELECT rolname FROM pg_roles)
\gexec

ALTER ROLE vitalstream_migrate LOGIN PASSWORD :'migrate_password';
ALTER ROLE vitalstream_serve LOGIN PASSWORD :'serve_password';
ALTER ROLE analyst LOGIN PASSWORD :'analyst_password';
GRANT vitalstream_owner TO vitalstream_migrate;
GRANT vitalstream_service TO vitalstream_serve;
GRANT vitalstream_analyst TO analyst;

-- The database belongs to the role that migrates it; others come in by name only.
SELECT format('ALTER DATABASE %I OWNER TO vitalstream_owner', current_database()) \gexec
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database()) \gexec
SELECT format('GRANT CONNECT ON DATABASE %I TO vitalstream_service, vitalstream_analyst', current_database()) \gexec
SQL
