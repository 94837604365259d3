internal import Service

/// The program: options, run, report.
enum BenchProgram {
    static func run(_ arguments: [String]) -> Int32 {
        do {
            let options = try BenchOptions(arguments)
            if options.asksForHelp {
                Console.writeLine(BenchOptions.help)
                return 0
            }
            // Before anything is measured: a file that cannot be read is to be known now.
            let baseline = try options.baseline.map { try Baseline(path: $0) }
            let report = try measure(options)
            Console.writeLine(report.lines(baseline: baseline).joined(separator: "\n"))
            try FileSystem.writeText(options.output, report.json().text + "\n")
            Console.writeError("figures are in \(options.output)")
            return 0
        } catch {
            Console.writeError("vitalstream-bench: \(error)")
            return 1
        }
    }

    private static func measure(_ options: BenchOptions) throws -> Report {
        let began = MonotonicTime.now()
        let bench = try Bench(options)
        defer { bench.remove() }
        var report = Report(machine: try Machine(bench), options: options)
        var stage = Stage(bench)
        for scenario in Scenarios.all {
            guard options.only.isEmpty ? scenario.isQuick || !options.isQuick : options.only.contains(scenario.name)
            else { continue }
            Console.writeError("\(scenario.name)")
            report.results.append(try scenario.body(&stage))
        }
        report.minutes = (MonotonicTime.now() - began).inSeconds / 60
        return report
    }
}
