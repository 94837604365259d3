internal import Service

/// The command line.
struct BenchOptions {
    var only: [String] = []
    var isQuick = false
    var baseline: String?
    var output = "bench.json"
    var composeFile = "docker-compose.yml"
    /// Share of the time in which the service is stopped, to see whether the bench notices.
    var handicapPercent = 0
    var asksForHelp = false

    static let help = """
        vitalstream-bench [--only SCENARIO[,SCENARIO]] [--quick] [--baseline OLD.json] [--output NEW.json]
            [--compose FILE] [--handicap PERCENT]

        Starts a private PostgreSQL with the settings of docker-compose.yml and a broker (Apache Kafka where KAFKA_HOME
        names it, else the embedded one), measures each scenario, prints a table and writes a JSON file.

          --only        these scenarios alone: \(Scenarios.names.joined(separator: ", "))
          --quick       a tenth of the messages, the short scenarios only
          --baseline    compares with the figures of an older file
          --output      the JSON file, bench.json unless named
          --compose     the compose file that holds PostgreSQL's settings, docker-compose.yml unless named
          --handicap    stops the service for this share of the time, 1 to 90: a run that must come out slower

        docs/benchmarks.md tells what each figure means and how not to fool oneself.
        """

    init(_ arguments: [String]) throws(BenchError) {
        var rest = arguments[...]
        while let name = rest.popFirst() {
            switch name {
            case "--help", "-h": asksForHelp = true
            case "--quick": isQuick = true
            case "--only": only += try Self.value(of: name, &rest).split(separator: ",").map(String.init)
            case "--baseline": baseline = try Self.value(of: name, &rest)
            case "--output": output = try Self.value(of: name, &rest)
            case "--compose": composeFile = try Self.value(of: name, &rest)
            case "--handicap":
                guard let percent = Int(try Self.value(of: name, &rest)), (1...90).contains(percent) else {
                    throw BenchError("--handicap wants a number from 1 to 90")
                }
                handicapPercent = percent
            default: throw BenchError("unknown argument \(name); see --help")
            }
        }
        for name in only where !Scenarios.names.contains(name) {
            throw BenchError("no scenario \(name); there are \(Scenarios.names.joined(separator: ", "))")
        }
    }

    private static func value(of name: String, _ rest: inout ArraySlice<String>) throws(BenchError) -> String {
        guard let value = rest.popFirst(), !value.hasPrefix("--") else { throw BenchError("\(name) wants a value") }
        return value
    }
}
