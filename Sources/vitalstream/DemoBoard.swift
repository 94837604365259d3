internal import API
internal import HTTP
internal import Service

/// What the service said of itself at one moment.
struct DemoSample {
    let at: MonotonicTime
    let report: ReadinessReport

    /// Asks the service; nil when it gives no answer in time.
    static func take(port: UInt16) -> DemoSample? {
        do {
            let answer = try HTTPClient.get(host: "127.0.0.1", port: port, path: "/readyz", timeout: .seconds(2))
            return DemoSample(at: .now(), report: try ReadinessReport(parsing: answer.body))
        } catch {
            // One answer that fails to come is shown as such; a service that has ended is noticed by its process.
            return nil
        }
    }

    /// Partitions that the service owns, all lanes together.
    var partitions: Int { report.health.lanes.reduce(0) { $0 + $1.partitions.count } }

    /// Why a partition goes on only when a person decides how; nil when all go on.
    var stopReason: String? {
        for lane in report.health.lanes {
            for partition in lane.partitions {
                if case .stopped(let reason) = partition.state {
                    return "\(partition.topic)/\(partition.partition): \(reason)"
                }
            }
        }
        return nil
    }

    /// Commit latency of the slowest lane.
    var latency: CommitLatency? {
        let all = report.health.lanes.compactMap(\.commitLatency)
        guard let p50 = all.map(\.p50Milliseconds).max(), let p99 = all.map(\.p99Milliseconds).max() else { return nil }
        return CommitLatency(p50Milliseconds: p50, p99Milliseconds: p99)
    }

    /// `p50 2.1 ms, p99 5.6 ms`
    var latencyText: String {
        guard let latency else { return "-" }
        let p50 = DemoText.oneDecimal(latency.p50Milliseconds)
        return "p50 \(p50) ms, p99 \(DemoText.oneDecimal(latency.p99Milliseconds)) ms"
    }

    /// `12`, or `unknown`.
    var lagText: String { report.health.totalLag.map(\.grouped) ?? "unknown" }
}

/// The live table: drawn again in place on a terminal, else a line now and then.
final class DemoBoard {
    private let draws: Bool
    private let linesEvery: Duration
    private let limitSeconds: Int
    private let startedAt: MonotonicTime
    /// The latest samples, the oldest first, over which rates are taken: the service renews its counts four times a
    /// second, so that a single second would flicker by a tenth.
    private var recent: [DemoSample] = []
    private var drawnLines = 0
    private let flow: DemoFlow
    private var nextLineAt: MonotonicTime

    private static let widths = [16, 14, 14]
    private static let rateWindow: Duration = .seconds(4)

    /// - Parameter limitSeconds: when it ends by itself; 0: never.
    init(limitSeconds: Int, databaseURL: String) {
        flow = DemoFlow(databaseURL: databaseURL)
        draws = Console.isTerminal && HostProcess.environment["TERM"] != "dumb"
        // A short run shows each second; a long one shall not fill a log.
        linesEvery = .seconds(limitSeconds > 0 && limitSeconds <= 60 ? 1 : 5)
        self.limitSeconds = limitSeconds
        startedAt = .now()
        nextLineAt = startedAt + (linesEvery - .milliseconds(100))
    }

    /// The sample shown last.
    var lastSample: DemoSample? { recent.last }

    /// Shows a sample (nil: no answer) and what the demo is doing.
    func show(_ sample: DemoSample?, phase: String) {
        let now = sample?.at ?? .now()
        let seconds = Int64((now - startedAt).inSeconds.rounded())
        if let sample {
            recent.append(sample)
            while recent.count > 2, sample.at - recent[1].at >= Self.rateWindow { recent.removeFirst() }
        }
        if draws {
            draw(table(sample, seconds: seconds, phase: phase))
        } else if now >= nextLineAt {
            nextLineAt = now + (linesEvery - .milliseconds(100))
            Console.writeLine(line(sample, seconds: seconds, phase: phase))
        }
    }

    private func table(_ sample: DemoSample?, seconds: Int64, phase: String) -> [String] {
        let limit = limitSeconds > 0 ? " of \(limitSeconds)" : ""
        var lines = [DemoText.row(["\(seconds)\(limit) s", "total", "a second"], widths: Self.widths)]
        let shown = recent.last
        for (name, path) in Self.counts {
            let total = shown?.report.health.totals[keyPath: path] ?? 0
            lines.append(
                DemoText.row([name, total.grouped, rate(of: path)], widths: Self.widths))
        }
        lines.append(DemoText.row(["lag", shown?.lagText ?? "-", ""], widths: Self.widths))
        lines.append("  commit latency  \(shown?.latencyText ?? "-")")
        lines.append("  now             \(state(sample, phase))")
        return lines + flow.lines()
    }

    private func line(_ sample: DemoSample?, seconds: Int64, phase: String) -> String {
        guard let sample else { return "\(seconds) s  the service does not answer; \(phase)" }
        let counts = Self.counts.map { name, path in
            "\(name) \(sample.report.health.totals[keyPath: path].grouped)"
        }
        let parts =
            ["\(seconds) s", "\(rate(of: \.consumed))/s"] + counts
            + ["lag \(sample.lagText)", "commit \(sample.latencyText)", state(sample, phase)]
        return parts.joined(separator: "  ")
    }

    private static var counts: [(String, KeyPath<LaneCounters, Int64>)] {
        [
            ("consumed", \.consumed), ("inserted", \.inserted), ("duplicate", \.duplicate), ("merged", \.merged),
            ("corrected", \.corrected), ("stale", \.stale), ("dead letters", \.rejected),
        ]
    }

    /// Messages a second, over the latest samples.
    private func rate(of path: KeyPath<LaneCounters, Int64>) -> String {
        guard let first = recent.first, let last = recent.last, last.at > first.at else { return "-" }
        let count = last.report.health.totals[keyPath: path] - first.report.health.totals[keyPath: path]
        return Int64((Double(count) / (last.at - first.at).inSeconds).rounded()).grouped
    }

    private func state(_ sample: DemoSample?, _ phase: String) -> String {
        guard let sample else { return "\(phase); the service does not answer" }
        return sample.report.reasons.first.map { "\(phase); not ready: \($0)" } ?? phase
    }

    /// Lines that are too long for the terminal are cut, or the table could not be drawn over.
    private func draw(_ lines: [String]) {
        var frame = "\u{1B}[?7l"
        if drawnLines > 0 { frame += "\u{1B}[\(drawnLines)A\r" }
        for line in lines { frame += line + "\u{1B}[K\n" }
        Console.write(frame + "\u{1B}[J\u{1B}[?7h")
        drawnLines = lines.count
    }
}
