internal import Postgres
internal import Service

/// A table that has grown: CONTRACT's query on it, and what the backlog costs then.
enum GrowthScenario {
    private static let rowsAnHour = 70_000

    /// CONTRACT.md's query to the letter.
    static let query = """
        SELECT patient_id, AVG(heart_rate) as avg_heart_rate, AVG(temperature) as avg_temperature,
               AVG(oxygen_saturation) as avg_oxygen, COUNT(*) as total_readings
        FROM health_records
        WHERE timestamp >= extract(epoch from now() - interval '1 hour') * 1000
        GROUP BY patient_id;
        """

    static func run(_ stage: inout Stage) throws -> ScenarioResult {
        let bench = stage.bench
        let (topic, workload) = try BacklogScenario.backlog(&stage)
        let empty = try stage.rates[1] ?? BacklogScenario.drained(bench, topic, workload, lanes: 1)
        stage.rates[1] = empty
        try bench.migratedDatabase()
        let days = stage.isQuick ? 2 : 30
        try fill(bench, days: days)
        var result = ScenarioResult(name: "growth")
        let (found, warm, cold) = try ask(bench)
        bench.begin("the backlog with \(days * rowsAnHour * 24 / 1_000_000) million rows stored")
        let full = try Drain.run(bench, topic: topic, group: "grown", messages: workload.sentMessages, lanes: 1)
        try bench.database.drop()
        result.figures = [
            Figure(
                name: "rows/s full ÷ empty, 1 lane", unit: "", value: full.rowsPerSecond / empty.rowsPerSecond,
                must: 0.8, goal: 0.9),
            Figure(name: "CONTRACT's query, warm", unit: "ms", value: warm, direction: .lower, must: 500, goal: 200),
            Figure(name: "CONTRACT's query, cold", unit: "ms", value: cold, direction: .lower, must: 500, goal: 200),
        ]
        result.notes = [
            "\(days * rowsAnHour * 24) rows over \(days) days, \(found) of them in the query's hour",
            "warm: the best of five; cold: the first after a restart of the server (the system's page cache stays)",
            full.account,
        ]
        return result
    }

    /// Rows of the backlog's patients, 70,000 an hour, up to three hours ago, and of as many others since then: what
    /// the backlog brings is newer than all that is stored of its patients, as it is in a ward.
    private static func fill(_ bench: Bench, days: Int) throws {
        var connection = try bench.database.connect("bench-fill")
        try connection.execute("CREATE TEMPORARY TABLE filler (number integer, patient_id uuid, other_id uuid)")
        let values = (0..<BacklogScenario.patients).map { patient in
            let own = Workload.identifier(ofPatient: patient)
            let other = Workload.identifier(ofPatient: patient + 1_000_000)
            return "(\(patient), '\(UUIDBytes(high: own.high, low: own.low).text)', "
                + "'\(UUIDBytes(high: other.high, low: other.low).text)')"
        }
        try connection.execute("INSERT INTO filler VALUES " + values.joined(separator: ", ") + "; ANALYZE filler")
        try connection.execute(
            "SELECT silver.make_partitions((now() AT TIME ZONE 'UTC')::date - \(days + 1), "
                + "(now() AT TIME ZONE 'UTC')::date + 1)")
        for day in (0..<days).reversed() {
            bench.begin("filling day \(days - day) of \(days)")
            try connection.execute(
                """
                INSERT INTO silver.vital_reading (patient_id, recorded_at, heart_rate, temperature, oxygen_saturation,
                    respiratory_rate, systolic_pressure, diastolic_pressure, consciousness, supplemental_oxygen,
                    source_partition, source_offset)
                SELECT CASE WHEN t.at > now() - interval '3 hours' THEN f.other_id ELSE f.patient_id END, t.at,
                    60 + s % 40, 36 + s % 3, 95, 14, 120, 80, 'A', false, 9, s * 10000::bigint + f.number
                FROM filler AS f, generate_series(1, \(rowsAnHour * 24 / BacklogScenario.patients)) AS s,
                    LATERAL (SELECT date_trunc('milliseconds', now()) - interval '\(day) days'
                        - (s * interval '\(3_600_000 * BacklogScenario.patients / rowsAnHour) ms')
                        - f.number * interval '17 ms') AS t (at)
                ORDER BY 1, 2
                """)
            try Bench.pause(.zero)
        }
        bench.begin("VACUUM, as autovacuum does in the course of time")
        try connection.execute("VACUUM (ANALYZE) silver.vital_reading")
        try connection.execute("CHECKPOINT")
    }

    /// How many rows the query found, and its times in milliseconds.
    private static func ask(_ bench: Bench) throws -> (rows: Int, warm: Double, cold: Double) {
        bench.begin("CONTRACT's query")
        try bench.database.server.restart()
        var cold = 0.0
        var best = Double.infinity
        var rows = 0
        for round in 0..<6 {
            // A new connection each: what an analyst's program does.
            var connection = try bench.database.connect("analyst")
            let began = MonotonicTime.now()
            let found = try connection.query(query)
            let spent = (MonotonicTime.now() - began).inMilliseconds
            if round == 0 { cold = spent } else { best = min(best, spent) }
            rows = (0..<found.rowCount).reduce(0) { $0 + Int(found.int64($1, 4)) }
        }
        return (rows, best, cold)
    }
}
