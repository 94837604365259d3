-- Patient flow: events, visits, windows, predictions and the state that they are computed from.
-- Never edit this file after a release; add the next number instead.

-- Silver ------------------------------------------------------------------------------------------------------

-- What was said, one row an event. Of a repeated event_id the lowest (source_partition, source_offset) stays.
CREATE TABLE silver.patient_flow_event (
    event_id         uuid        NOT NULL PRIMARY KEY,
    patient_id       uuid,
    occurred_at      timestamptz NOT NULL,
    source_offset    bigint      NOT NULL,
    source_partition integer     NOT NULL,
    acuity           smallint,
    facility_id      text        NOT NULL,
    sector_id        text        NOT NULL,
    visit_id         text        NOT NULL,
    event            text        NOT NULL CHECK (event IN ('arrival', 'triage', 'treatment_start', 'transfer',
        'departure', 'left_without_being_seen', 'cancelled')),
    to_sector_id     text,
    CHECK (acuity BETWEEN 1 AND 5),
    CHECK ((event = 'transfer') = (to_sector_id IS NOT NULL))
);
CREATE INDEX patient_flow_event_visit_idx ON silver.patient_flow_event (facility_id, visit_id);
CREATE INDEX patient_flow_event_time_idx ON silver.patient_flow_event (facility_id, occurred_at);

-- One row a visit, a pure function of its events. Half-empty pages: a visit is written again with each of its events.
CREATE TABLE silver.patient_visit (
    visit_id           text             NOT NULL,
    facility_id        text             NOT NULL,
    sector_id          text             NOT NULL,
    patient_id         uuid,
    acuity             smallint,
    impossible         smallint         NOT NULL,
    revision           integer          NOT NULL,
    arrival_at         timestamptz,
    triage_at          timestamptz,
    treatment_start_at timestamptz,
    departure_at       timestamptz,
    last_event_at      timestamptz      NOT NULL,
    present_until      timestamptz,
    wait_minutes       double precision,
    disposition        text             NOT NULL,
    PRIMARY KEY (visit_id, facility_id)
) WITH (fillfactor = 70);
-- Who was present at some time: arrival_at before its end, present_until not before its start.
CREATE INDEX patient_visit_present_idx ON silver.patient_visit (facility_id, present_until, arrival_at)
    WHERE present_until IS NOT NULL;
-- The few that count at a start of treatment after their end.
CREATE INDEX patient_visit_treated_idx ON silver.patient_visit (facility_id, treatment_start_at)
    WHERE impossible & 8 <> 0;
CREATE INDEX patient_visit_arrival_idx ON silver.patient_visit (facility_id, arrival_at);

-- Gold --------------------------------------------------------------------------------------------------------

CREATE TABLE gold.occupancy_window (
    facility_id                  text             NOT NULL,
    sector_id                    text             NOT NULL,
    window_minutes               integer          NOT NULL,
    window_start                 timestamptz      NOT NULL,
    arrivals                     integer          NOT NULL,
    transfers_in                 integer          NOT NULL,
    transfers_out                integer          NOT NULL,
    treatment_starts             integer          NOT NULL,
    departures                   integer          NOT NULL,
    left_without_being_seen      integer          NOT NULL,
    census_start                 integer          NOT NULL,
    census_end                   integer          NOT NULL,
    census_max                   integer          NOT NULL,
    census_mean                  double precision NOT NULL,
    waiting_end                  integer          NOT NULL,
    waiting_max                  integer          NOT NULL,
    in_treatment_end             integer          NOT NULL,
    boarding_end                 integer          NOT NULL,
    wait_mean_minutes            double precision,
    wait_p50_minutes             double precision,
    wait_p90_minutes             double precision,
    longest_current_wait_minutes double precision,
    capacity                     integer,
    occupancy_rate               double precision,
    four_hour_share              double precision,
    revision                     integer          NOT NULL,
    closed_at                    timestamptz,
    PRIMARY KEY (facility_id, sector_id, window_minutes, window_start)
) WITH (fillfactor = 70);
CREATE INDEX occupancy_window_start_idx ON gold.occupancy_window (facility_id, window_minutes, window_start);
CREATE INDEX occupancy_window_open_idx ON gold.occupancy_window (facility_id, window_start)
    WHERE closed_at IS NULL;

-- One row a facility: what a commit compares and raises, so that two lanes with one facility cannot both be right.
CREATE TABLE gold.flow_state (
    facility_id      text        NOT NULL PRIMARY KEY,
    version          bigint      NOT NULL,
    frontier         timestamptz,
    watermark        timestamptz,
    source_partition integer     NOT NULL,
    updated_at       timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);

CREATE TABLE gold.wait_prediction (
    visit_id          text             NOT NULL,
    facility_id       text             NOT NULL,
    sector_id         text             NOT NULL,
    prediction_ts     timestamptz      NOT NULL,
    kind              text             NOT NULL,
    acuity            smallint,
    predicted_minutes double precision NOT NULL,
    lower50           double precision NOT NULL,
    upper50           double precision NOT NULL,
    lower80           double precision NOT NULL,
    upper80           double precision NOT NULL,
    lower90           double precision NOT NULL,
    upper90           double precision NOT NULL,
    model_version     text             NOT NULL,
    explanation       jsonb,
    PRIMARY KEY (visit_id, facility_id, prediction_ts, kind)
);
CREATE INDEX wait_prediction_time_idx ON gold.wait_prediction (facility_id, prediction_ts);

-- The same key; sector, time and model again, so that scores need no join.
CREATE TABLE gold.prediction_outcome (
    visit_id          text             NOT NULL,
    facility_id       text             NOT NULL,
    sector_id         text             NOT NULL,
    prediction_ts     timestamptz      NOT NULL,
    kind              text             NOT NULL,
    acuity            smallint,
    predicted_minutes double precision NOT NULL,
    actual_minutes    double precision NOT NULL,
    error_minutes     double precision NOT NULL,
    inside90          boolean          NOT NULL,
    model_version     text             NOT NULL,
    PRIMARY KEY (visit_id, facility_id, prediction_ts, kind)
);
CREATE INDEX prediction_outcome_time_idx ON gold.prediction_outcome (facility_id, prediction_ts);

CREATE TABLE gold.sector_forecast (
    facility_id                    text        NOT NULL,
    sector_id                      text        NOT NULL,
    prediction_ts                  timestamptz NOT NULL,
    predicted_arrivals_h1          double precision NOT NULL,
    predicted_arrivals_h1_lower90  double precision NOT NULL,
    predicted_arrivals_h1_upper90  double precision NOT NULL,
    predicted_arrivals_h4          double precision NOT NULL,
    predicted_arrivals_h4_lower90  double precision NOT NULL,
    predicted_arrivals_h4_upper90  double precision NOT NULL,
    predicted_arrivals_h24         double precision NOT NULL,
    predicted_arrivals_h24_lower90 double precision NOT NULL,
    predicted_arrivals_h24_upper90 double precision NOT NULL,
    predicted_occupancy_h1          double precision NOT NULL,
    predicted_occupancy_h1_lower90  double precision NOT NULL,
    predicted_occupancy_h1_upper90  double precision NOT NULL,
    predicted_occupancy_h4          double precision NOT NULL,
    predicted_occupancy_h4_lower90  double precision NOT NULL,
    predicted_occupancy_h4_upper90  double precision NOT NULL,
    predicted_occupancy_h24         double precision NOT NULL,
    predicted_occupancy_h24_lower90 double precision NOT NULL,
    predicted_occupancy_h24_upper90 double precision NOT NULL,
    model_version                   text             NOT NULL,
    PRIMARY KEY (facility_id, sector_id, prediction_ts)
);

-- What the predictor has learnt, as bytes of its own. sector_id is '' for what belongs to the whole facility.
CREATE TABLE gold.model_state (
    facility_id text   NOT NULL,
    sector_id   text   NOT NULL,
    kind        text   NOT NULL,
    version     bigint NOT NULL,
    state       bytea  NOT NULL,
    PRIMARY KEY (facility_id, sector_id, kind)
);
ALTER TABLE gold.model_state ALTER COLUMN state SET STORAGE EXTERNAL;

-- The lane's functions ------------------------------------------------------------------------------------------

-- Compares and raises the version of a facility, before anything of it is written. VS002: somebody else has written
-- since it was read (or, for version 0, made it), so all that was planned on it is to be planned again.
CREATE FUNCTION gold.raise_flow_state(
    p_facility text, p_version bigint, p_frontier timestamptz, p_partition integer, p_watermark timestamptz
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF p_version = 0 THEN
        INSERT INTO gold.flow_state (facility_id, version, frontier, source_partition, watermark)
        VALUES (p_facility, 1, p_frontier, p_partition, p_watermark)
        ON CONFLICT (facility_id) DO NOTHING;
    ELSE
        UPDATE gold.flow_state
        SET version = version + 1, frontier = p_frontier, source_partition = p_partition,
            watermark = greatest(watermark, p_watermark), updated_at = now()
        WHERE facility_id = p_facility AND version = p_version;
    END IF;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the flow of a facility is not as it was read at version %', p_version
            USING ERRCODE = 'VS002';
    END IF;
END
$$;

-- Writes the session's temporary table stage_occupancy_window over the stored windows, whose revisions are raised by
-- the staged ones, with the capacities that are in force. Capacities do not change between this and the commit: the
-- trigger of silver.sector_capacity waits for it.
CREATE FUNCTION gold.store_windows() RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('silver.sector_capacity', 0));
    INSERT INTO gold.occupancy_window AS w (
        facility_id, sector_id, window_minutes, window_start, arrivals, transfers_in, transfers_out, treatment_starts,
        departures, left_without_being_seen, census_start, census_end, census_max, census_mean, waiting_end,
        waiting_max, in_treatment_end, boarding_end, wait_mean_minutes, wait_p50_minutes, wait_p90_minutes,
        longest_current_wait_minutes, capacity, occupancy_rate, four_hour_share, revision, closed_at)
    SELECT s.facility_id, s.sector_id, s.window_minutes, s.window_start, s.arrivals, s.transfers_in, s.transfers_out,
        s.treatment_starts, s.departures, s.left_without_being_seen, s.census_start, s.census_end, s.census_max,
        s.census_mean, s.waiting_end, s.waiting_max, s.in_treatment_end, s.boarding_end, s.wait_mean_minutes,
        s.wait_p50_minutes, s.wait_p90_minutes, s.longest_current_wait_minutes, c.capacity,
        s.census_mean / nullif(c.capacity, 0), s.four_hour_share, s.revision, s.closed_at
    FROM pg_temp.stage_occupancy_window AS s
    LEFT JOIN LATERAL (
        SELECT k.capacity FROM silver.sector_capacity AS k
        WHERE k.facility_id = s.facility_id AND k.sector_id = s.sector_id AND k.valid_from <= s.window_start
        ORDER BY k.valid_from DESC LIMIT 1) AS c ON true
    ORDER BY s.facility_id, s.sector_id, s.window_minutes, s.window_start
    ON CONFLICT (facility_id, sector_id, window_minutes, window_start) DO UPDATE
        SET arrivals = excluded.arrivals,
            transfers_in = excluded.transfers_in,
            transfers_out = excluded.transfers_out,
            treatment_starts = excluded.treatment_starts,
            departures = excluded.departures,
            left_without_being_seen = excluded.left_without_being_seen,
            census_start = excluded.census_start,
            census_end = excluded.census_end,
            census_max = excluded.census_max,
            census_mean = excluded.census_mean,
            waiting_end = excluded.waiting_end,
            waiting_max = excluded.waiting_max,
            in_treatment_end = excluded.in_treatment_end,
            boarding_end = excluded.boarding_end,
            wait_mean_minutes = excluded.wait_mean_minutes,
            wait_p50_minutes = excluded.wait_p50_minutes,
            wait_p90_minutes = excluded.wait_p90_minutes,
            longest_current_wait_minutes = excluded.longest_current_wait_minutes,
            capacity = excluded.capacity,
            occupancy_rate = excluded.occupancy_rate,
            four_hour_share = excluded.four_hour_share,
            revision = w.revision + excluded.revision,
            closed_at = excluded.closed_at;
END
$$;

-- Brings the outcomes of the visits in the session's temporary table stage_patient_visit up to date: a visit whose wait
-- is known and that was not cancelled has one for each of its predictions, any other none.
CREATE FUNCTION gold.store_outcomes() RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM gold.prediction_outcome AS o
    USING pg_temp.stage_patient_visit AS v
    WHERE o.visit_id = v.visit_id AND o.facility_id = v.facility_id
        AND (v.wait_minutes IS NULL OR v.disposition = 'cancelled');
    INSERT INTO gold.prediction_outcome AS o (
        visit_id, facility_id, sector_id, prediction_ts, kind, acuity, predicted_minutes, actual_minutes, error_minutes,
        inside90, model_version)
    SELECT p.visit_id, p.facility_id, p.sector_id, p.prediction_ts, p.kind, p.acuity, p.predicted_minutes,
        v.wait_minutes, p.predicted_minutes - v.wait_minutes, v.wait_minutes BETWEEN p.lower90 AND p.upper90,
        p.model_version
    FROM pg_temp.stage_patient_visit AS v
    JOIN gold.wait_prediction AS p ON p.visit_id = v.visit_id AND p.facility_id = v.facility_id
    WHERE v.wait_minutes IS NOT NULL AND v.disposition <> 'cancelled'
    ON CONFLICT (visit_id, facility_id, prediction_ts, kind) DO UPDATE
        SET actual_minutes = excluded.actual_minutes, error_minutes = excluded.error_minutes,
            inside90 = excluded.inside90
        WHERE o.actual_minutes IS DISTINCT FROM excluded.actual_minutes;
    -- And of what was said just now about a visit whose wait had been known before (its arrival came last).
    INSERT INTO gold.prediction_outcome (
        visit_id, facility_id, sector_id, prediction_ts, kind, acuity, predicted_minutes, actual_minutes, error_minutes,
        inside90, model_version)
    SELECT p.visit_id, p.facility_id, p.sector_id, p.prediction_ts, p.kind, p.acuity, p.predicted_minutes,
        v.wait_minutes, p.predicted_minutes - v.wait_minutes, v.wait_minutes BETWEEN p.lower90 AND p.upper90,
        p.model_version
    FROM pg_temp.stage_wait_prediction AS p
    JOIN silver.patient_visit AS v ON v.visit_id = p.visit_id AND v.facility_id = p.facility_id
    WHERE v.wait_minutes IS NOT NULL AND v.disposition <> 'cancelled'
    ON CONFLICT DO NOTHING;
END
$$;

-- Closes what has ended before the watermark of a partition, in all facilities whose latest event came from it, and
-- returns how many windows it closed.
CREATE FUNCTION gold.close_windows(p_partition integer, p_watermark timestamptz) RETURNS bigint
LANGUAGE sql AS $$
    WITH closed AS (
        UPDATE gold.occupancy_window AS w SET closed_at = now()
        FROM gold.flow_state AS s
        WHERE s.source_partition = p_partition AND w.facility_id = s.facility_id AND w.closed_at IS NULL
            AND w.window_start < p_watermark AND w.window_start + w.window_minutes * interval '1 minute' <= p_watermark
        RETURNING 1)
    SELECT count(*) FROM closed
$$;

-- Notes how far the watermark of a partition without messages has come, so that it does not fall back with a restart.
CREATE FUNCTION gold.note_watermark(p_partition integer, p_watermark timestamptz) RETURNS void
LANGUAGE sql AS $$
    UPDATE gold.flow_state SET watermark = p_watermark
    WHERE source_partition = p_partition AND (watermark IS NULL OR watermark < p_watermark)
$$;

-- The fence of a transaction that moves no offset. VS001: the partition has another owner, epoch or offset.
CREATE FUNCTION ops.hold(
    p_group text, p_topic text, p_partition integer, p_owner uuid, p_epoch bigint, p_next bigint
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM ops.partition_progress
    WHERE consumer_group = p_group AND topic = p_topic AND partition = p_partition
        AND owner = p_owner AND epoch = p_epoch AND next_offset = p_next
    FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'fenced: %/% of group % is no longer owned at epoch %, offset %',
            p_topic, p_partition, p_group, p_epoch, p_next USING ERRCODE = 'VS001';
    END IF;
END
$$;

-- Capacities ----------------------------------------------------------------------------------------------------

-- Brings stored windows up to date when capacities change. Lanes hold the lock shared from their look at capacities to
-- their commit, so whatever a lane has written by then is seen here, and what it writes later has seen the change.
CREATE FUNCTION silver.apply_capacity() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('silver.sector_capacity', 0));
    UPDATE gold.occupancy_window AS w
    SET (capacity, occupancy_rate) = (
        SELECT c.capacity, w.census_mean / nullif(c.capacity, 0) FROM silver.sector_capacity AS c
        WHERE c.facility_id = w.facility_id AND c.sector_id = w.sector_id AND c.valid_from <= w.window_start
        ORDER BY c.valid_from DESC LIMIT 1)
    FROM (SELECT facility_id, sector_id, min(valid_from) AS valid_from FROM changed GROUP BY 1, 2) AS k
    WHERE w.facility_id = k.facility_id AND w.sector_id = k.sector_id AND w.window_start >= k.valid_from;
    RETURN NULL;
END
$$;

CREATE FUNCTION silver.forget_capacities() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('silver.sector_capacity', 0));
    UPDATE gold.occupancy_window SET capacity = NULL, occupancy_rate = NULL WHERE capacity IS NOT NULL;
    RETURN NULL;
END
$$;

CREATE TRIGGER capacity_inserted AFTER INSERT ON silver.sector_capacity
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION silver.apply_capacity();
CREATE TRIGGER capacity_deleted AFTER DELETE ON silver.sector_capacity
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION silver.apply_capacity();
-- Two triggers, since a function sees one table of this name: what it was, and what it is.
CREATE TRIGGER capacity_updated_from AFTER UPDATE ON silver.sector_capacity
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION silver.apply_capacity();
CREATE TRIGGER capacity_updated_to AFTER UPDATE ON silver.sector_capacity
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION silver.apply_capacity();
CREATE TRIGGER capacities_truncated AFTER TRUNCATE ON silver.sector_capacity
    FOR EACH STATEMENT EXECUTE FUNCTION silver.forget_capacities();

-- Rights --------------------------------------------------------------------------------------------------------

-- Reading is granted by the defaults of 002. A key is never changed.
GRANT EXECUTE ON FUNCTION
    gold.raise_flow_state(text, bigint, timestamptz, integer, timestamptz),
    gold.store_windows(),
    gold.store_outcomes(),
    gold.close_windows(integer, timestamptz),
    gold.note_watermark(integer, timestamptz),
    ops.hold(text, text, integer, uuid, bigint, bigint)
TO vitalstream_service;
GRANT INSERT, UPDATE, DELETE ON silver.patient_flow_event, silver.patient_visit TO vitalstream_service;
GRANT INSERT, UPDATE ON gold.occupancy_window, gold.flow_state, gold.model_state TO vitalstream_service;
GRANT INSERT ON gold.wait_prediction, gold.sector_forecast TO vitalstream_service;
GRANT INSERT, UPDATE, DELETE ON gold.prediction_outcome TO vitalstream_service;
