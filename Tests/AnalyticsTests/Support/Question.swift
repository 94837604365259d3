import Service
import Testing

/// The files of sql/analytics.
enum Question: String, CaseIterable {
    case corrections
    case crowding
    case dailyMeans = "daily_means"
    case deadLetters = "dead_letters"
    case defaultPartition = "default_partition"
    case duplicates
    case facilityVolume = "facility_volume"
    case flowBoard = "flow_board"
    case flowToday = "flow_today"
    case forecastQuality = "forecast_quality"
    case fourHours = "four_hours"
    case hourlyMeans = "hourly_means"
    case lag
    case lastHourAverages = "last_hour_averages"
    case lastReadings = "last_readings"
    case lateArrivals = "late_arrivals"
    case ledger
    case longestWaits = "longest_waits"
    case news2
    case patientReadings = "patient_readings"
    case predictionDrift = "prediction_drift"
    case predictionQuality = "prediction_quality"
    case pulsePressureShockIndex = "pulse_pressure_shock_index"
    case rateOfChange = "rate_of_change"
    case seriesGaps = "series_gaps"
    case silentPatients = "silent_patients"
    case suspectValues = "suspect_values"
    case sustainedFever = "sustained_fever"
    case sustainedLowSaturation = "sustained_low_saturation"

    /// The file's path.
    var path: String { "\(Repository.root)/sql/analytics/\(rawValue).sql" }
}

/// The repository that this file lies in.
enum Repository {
    static let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(4)
        .joined(separator: "/")
}

/// What psql printed.
struct Answer {
    var status: ChildStatus?
    var lines: [String]
    var errors: String

    var title: String { lines.first ?? "" }
    /// The one line that stands there in place of a table.
    var reason: String? { lines.count == 2 ? lines[1] : nil }
    var columns: [String] { lines.count > 2 ? fields(lines[1]) : [] }
    var rows: [[String]] { lines.dropFirst(2).map(fields) }

    /// The values of a column.
    func column(_ name: String) -> [String] {
        guard let index = columns.firstIndex(of: name) else { return [] }
        return rows.map { $0[index] }
    }

    private func fields(_ line: String) -> [String] {
        line.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
    }
}

/// Runs psql.
enum Psql {
    /// Asks a question of the ward's database, at its anchor, from the root directory.
    static func ask(_ question: Question, _ variables: [String: String] = [:]) throws -> Answer {
        let server = try #require(WardServer.current)
        let all = ["until": UTCText.timestamp(milliseconds: Ward.anchor)].merging(variables) { _, given in given }
        let answer = try run(server.wardURL, file: question.path, all)
        #expect(answer.errors == "")
        #expect(answer.status == .exited(0))
        return answer
    }

    /// Runs a file.
    static func run(
        _ url: String, file: String, _ variables: [String: String] = [:], options: String = "", directory: String = "/"
    ) throws -> Answer {
        let settings = variables.sorted { $0.key < $1.key }.flatMap { ["-v", "\($0.key)=\($0.value)"] }
        return try start("psql", ["-X", "-d", url] + settings + ["-f", file], directory: directory) {
            $0["PGOPTIONS"] = options
        }
    }

    /// Runs psql, or a program that ends in it, in unaligned form; `input` is what is typed.
    static func start(
        _ program: String, _ arguments: [String], input: String? = nil, directory: String = "/",
        environment change: (inout [String: String]) -> Void = { _ in }
    ) throws -> Answer {
        var command = ChildCommand(program, arguments + ["-A", "-F", "|", "-P", "footer=off", "-P", "pager=off"])
        var environment = HostProcess.environment.filter { !$0.key.hasPrefix("PG") && $0.key != "DATABASE_URL" }
        environment["LC_ALL"] = "C.UTF-8"
        change(&environment)
        command.environment = environment
        command.workingDirectory = directory
        command.output = .pipe
        command.error = .pipe
        if input != nil { command.input = .pipe }
        let child = try ChildProcess(command)
        if let input {
            try child.write(input)
            child.closeInput()
        }
        let status = child.wait(within: .seconds(60))
        _ = child.output?.waitForEnd(within: .seconds(5))
        _ = child.errorOutput?.waitForEnd(within: .seconds(5))
        return Answer(status: status, lines: child.output?.lines ?? [], errors: child.errorOutput?.text ?? "")
    }
}

/// One field that a table must have.
enum Cell {
    case text(String?)
    case integer(Int)
    /// Rounded to so many places by the server, whose last place may differ from ours.
    case rounded(Double?, places: Int)

    static func real(_ value: Float?) -> Cell { .rounded(value.map(Double.init), places: 4) }
    static func time(_ milliseconds: Int64?) -> Cell { .text(milliseconds.map(ShownTime.text)) }

    func matches(_ field: String) -> Bool {
        switch self {
        case .text(let text): return field == text ?? ""
        case .integer(let number): return field == "\(number)"
        case .rounded(nil, _): return field == ""
        case .rounded(let number?, let places):
            guard let shown = Double(field) else { return false }
            var unit = 1.0
            for _ in 0..<places { unit /= 10 }
            // Real arithmetic has seven digits.
            return abs(shown - number) <= 0.5 * unit + 2e-7 * abs(number) + 1e-9
        }
    }
}

/// Holds a table to what it must be, row by row.
func expect(
    _ answer: Answer, columns: String, rows: [[Cell]], sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(answer.columns.joined(separator: " ") == columns, sourceLocation: sourceLocation)
    #expect(answer.rows.count == rows.count, sourceLocation: sourceLocation)
    #expect(!rows.isEmpty, "nothing is compared", sourceLocation: sourceLocation)
    for (shown, wanted) in zip(answer.rows, rows) {
        let isRight = shown.count == wanted.count && zip(wanted, shown).allSatisfy { $0.matches($1) }
        #expect(isRight, "\(shown) is not \(wanted)", sourceLocation: sourceLocation)
        if !isRight { return }
    }
}

extension Collection where Element == Float {
    /// Nil when empty.
    var mean: Double? { isEmpty ? nil : reduce(0) { $0 + Double($1) } / Double(count) }
}
