-- Whose readings. p_patient_default is `all` or `first`, the patient of the smallest id in the time asked for, found
-- through the primary keys. Further variable:
--   patient  a patient's id, or all
--
-- :of_patient is the condition on a reading r; p_whom names whom it means.
\if :{?patient} \set p_patient :patient \else \set p_patient :p_patient_default \endif
SELECT :'p_patient' = 'all' AS p_all, :'p_patient' = 'first' AS p_first \gset
\if :p_all
    \set of_patient true
    \set p_whom 'all patients'
\else
    \if :p_first
        -- Unset when there is nobody, and then the condition means nobody; end.sql says that there are no readings.
        SELECT (
            SELECT r.patient_id
            FROM silver.vital_reading AS r
            WHERE r.recorded_at >= :'p_from'::timestamptz AND r.recorded_at < :'p_until'::timestamptz
            ORDER BY r.patient_id, r.recorded_at
            LIMIT 1
        ) AS p_patient
        \gset
    \else
        SELECT :'p_patient'::uuid AS p_patient \gset
    \endif
    \if :{?p_patient}
        \set of_patient 'r.patient_id = :''p_patient''::uuid'
        \set p_whom 'patient ' :p_patient
    \else
        \set of_patient false
        \set p_whom 'the first patient'
    \endif
\endif
