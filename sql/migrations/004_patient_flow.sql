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
    event            text        NOT NULL,
    to_sector_id     text
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
    frontier         timestamptz NOT NULL,
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

-- Rights --------------------------------------------------------------------------------------------------------

-- Reading is granted by the defaults of 002. A key is never changed.
GRANT INSERT, UPDATE, DELETE ON silver.patient_flow_event, silver.patient_visit TO vitalstream_service;
GRANT INSERT, UPDATE ON gold.occupancy_window, gold.flow_state, gold.model_state TO vitalstream_service;
GRANT INSERT ON gold.wait_prediction, gold.sector_forecast TO vitalstream_service;
GRANT INSERT, UPDATE, DELETE ON gold.prediction_outcome TO vitalstream_service;
