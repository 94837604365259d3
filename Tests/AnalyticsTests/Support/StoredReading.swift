import Service

/// The vital signs in the order of the table's columns, which is that of the bits of `suspect`.
enum Vital: Int, CaseIterable {
    case heartRate, temperature, oxygenSaturation, respiratoryRate, systolicPressure, diastolicPressure

    /// Its column.
    var column: String {
        switch self {
        case .heartRate: "heart_rate"
        case .temperature: "temperature"
        case .oxygenSaturation: "oxygen_saturation"
        case .respiratoryRate: "respiratory_rate"
        case .systolicPressure: "systolic_pressure"
        case .diastolicPressure: "diastolic_pressure"
        }
    }
}

/// A row of silver.vital_reading.
struct StoredReading {
    /// Place in `Ward.patients`.
    var patient: Int
    /// Milliseconds since 1970 UTC.
    var at: Int64
    /// By `Vital.rawValue`.
    var vitals: [Float?]
    var consciousness: String?
    var oxygen: Bool?
    var suspect = 0
    var partition = 0
    var offset: Int64 = 0
    /// A number of `Ward.origins`, from 1 on.
    var origin: Int?

    subscript(vital: Vital) -> Float? { vitals[vital.rawValue] }
}

/// Who sent a reading.
struct Origin {
    var facility: String?
    var sector: String?
    var device: String?
}

/// A row of silver.vital_reading_history.
struct Correction {
    var patient: Int
    var at: Int64
    var vitals: [Float?]
    var offset: Int64
}

/// A row of bronze.dead_letter.
struct DeadLetter {
    var topic: String
    var partition: Int
    var offset: Int64
    var reason: String
    var receivedAt: Int64
}

/// A row of ops.partition_progress.
struct Progress {
    var group: String
    var topic: String
    var partition: Int
    var first: Int64
    var next: Int64
    var highWatermark: Int64?
    var gaps: Int64
    /// inserted, merged, corrected, duplicate, stale, rejected.
    var classes: [Int64]
    /// Letters below this offset are in `settledLetters`.
    var settledBefore: Int64 = 0
    var settledLetters: Int64 = 0

    var consumed: Int64 { classes.reduce(0, +) }
}

/// Times as psql prints a timestamptz in UTC.
enum ShownTime {
    /// `2020-03-01 12:00:00.25+00`.
    static func text(_ milliseconds: Int64) -> String {
        let digits = UTCText.timestamp(milliseconds: milliseconds).dropLast().replacing("T", with: " ")
        var text = Substring(digits)
        while text.hasSuffix("0") { text = text.dropLast() }
        if text.hasSuffix(".") { text = text.dropLast() }
        return "\(text)+00"
    }

    /// `2020-03-01`.
    static func day(_ milliseconds: Int64) -> String {
        String(UTCText.timestamp(milliseconds: milliseconds).prefix(10))
    }
}
