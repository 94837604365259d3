internal import Postgres
internal import Service

/// The limit that everything is compared with: binary COPY of the same rows into a plain table with nothing but its
/// primary key, on one connection, sorted, 65,536 rows a transaction.
///
/// Rows are made and sorted before the clock runs; it counts from BEGIN to the answer of COMMIT alone.
struct RawCopy {
    static let rowsPerTransaction = 65_536
    private static let table = """
        DROP TABLE IF EXISTS raw_reading; CREATE TABLE raw_reading (
            patient_id uuid NOT NULL, recorded_at timestamptz NOT NULL, heart_rate real, temperature real,
            oxygen_saturation real, respiratory_rate real, systolic_pressure real, diastolic_pressure real,
            consciousness "char", supplemental_oxygen boolean, suspect smallint NOT NULL DEFAULT 0,
            source_partition integer NOT NULL, source_offset bigint NOT NULL, PRIMARY KEY (patient_id, recorded_at));
        CHECKPOINT
        """
    private static let copy = "COPY raw_reading FROM STDIN (FORMAT binary)"
    /// PostgreSQL counts from 2000-01-01.
    private static let epoch: Int64 = 946_684_800_000

    private var bytes: [UInt8] = []

    /// Copies the first rows of a stream and says how many a second.
    static func measure(_ database: BenchDatabase, _ workload: Workload, rows: Int) throws -> Double {
        var connection = try database.connect("raw-copy")
        try connection.execute(table)
        var copy = RawCopy()
        var spent = Duration.zero
        var start = 0
        while start < rows {
            let end = min(rows, start + rowsPerTransaction)
            copy.encode(workload, start..<end)
            let began = MonotonicTime.now()
            try connection.execute("BEGIN")
            try copy.bytes.withUnsafeBytes { try connection.copyIn(Self.copy, $0) }
            try connection.execute("COMMIT")
            spent += MonotonicTime.now() - began
            start = end
        }
        try connection.execute("DROP TABLE raw_reading")
        return Double(rows) / spent.inSeconds
    }

    private mutating func encode(_ workload: Workload, _ numbers: Range<Int>) {
        var rows = numbers.map { number in
            let reading = workload.newReading(number)
            return (id: Workload.identifier(ofPatient: reading.patient), reading: reading, number: number)
        }
        rows.sort { ($0.id.high, $0.id.low, $0.reading.time) < ($1.id.high, $1.id.low, $1.reading.time) }
        bytes.removeAll(keepingCapacity: true)
        bytes += Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0x00] + [UInt8](repeating: 0, count: 8)
        for row in rows {
            let reading = row.reading
            put(Int16(13))
            put(Int32(16))
            put(row.id.high)
            put(row.id.low)
            put(Int32(8))
            put((reading.time - Self.epoch) * 1_000)
            let vitals = reading.hundredths
            put(vital: vitals.0)
            if reading.hasTemperature { put(vital: vitals.1) } else { put(Int32(-1)) }
            put(vital: vitals.2)
            if reading.format == .full {
                put(vital: vitals.3)
                put(vital: vitals.4)
                put(vital: vitals.5)
                put(Int32(1))
                put(reading.consciousness)
                put(Int32(1))
                put(reading.oxygen ? 1 : 0 as UInt8)
            } else {
                for _ in 0..<5 { put(Int32(-1)) }
            }
            put(Int32(2))
            put(Int16(0))
            put(Int32(4))
            put(Int32(row.number & 3))
            put(Int32(8))
            put(Int64(row.number))
        }
        put(Int16(-1))
    }

    private mutating func put(vital hundredths: Int) {
        put(Int32(4))
        put((Float(hundredths) / 100).bitPattern)
    }

    private mutating func put<Value: FixedWidthInteger>(_ value: Value) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }
}
