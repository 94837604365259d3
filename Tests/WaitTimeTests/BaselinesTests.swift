import Testing
import WaitTime

/// Small cases, computed by hand.
struct BaselinesTests {
    private static let minute: Int64 = 60_000
    private static let noon: Int64 = 1_700_000_000_000 / 86_400_000 * 86_400_000 + 12 * 3_600_000

    /// Visits who wait the given minutes, one after the other, an arrival a quarter of an hour.
    private static func served(_ waits: [Int64], acuity: Int = 3) -> (baselines: Baselines, now: Int64) {
        var baselines = Baselines()
        var time = noon
        for (number, wait) in waits.enumerated() {
            let visit = VisitKey("visit-\(acuity)-\(number)")
            baselines.observe(FlowStep(.arrival, visit: visit, timestamp: time, acuity: acuity))
            baselines.observe(FlowStep(.treatmentStart, visit: visit, timestamp: time + wait * minute, acuity: acuity))
            time += 15 * minute
        }
        return (baselines, time)
    }

    private static func said(_ baselines: Baselines, _ name: String, acuity: Int = 3, at time: Int64) -> Double? {
        Baselines.names.firstIndex(of: name).map { baselines.predict(acuity: acuity, at: time)[$0] }
    }

    @Test(
        arguments: [
            // The last of 1...12.
            ("les", 12.0),
            // (8 + 9 + 10 + 11 + 12) / 5
            ("ra5", 10),
            // (3 + ... + 12) / 10
            ("ra10", 7.5),
            // All twelve.
            ("ra20", 6.5), ("ra50", 6.5), ("ra10_acuity", 7.5),
            // They ended within 180 minutes.
            ("posted_4h", 6.5),
            // Nobody waits.
            ("hol", 0),
            // Four each in the hours 12, 13 and 14: too few for a median of the hour 15, so the acuity's mean of ten.
            ("median_acuity_hour", 7.5),
        ])
    func `after waits of 1 to 12 minutes`(name: String, minutes: Double) {
        let (baselines, now) = Self.served(Array(1...12))
        #expect(Self.said(baselines, name, at: now) == minutes)
    }

    @Test func `what was posted forgets waits that ended four hours ago`() {
        let (baselines, now) = Self.served([10, 20])
        // The second began 15 minutes after noon and ended at 12:35; now is 12:30.
        #expect(Self.said(baselines, "posted_4h", at: now + 3 * 60 * Self.minute) == 15)
        #expect(Self.said(baselines, "posted_4h", at: Self.noon + (4 * 60 + 10) * Self.minute) == 20)
        // Nothing in four hours: the last wait.
        #expect(Self.said(baselines, "posted_4h", at: Self.noon + 9 * 60 * Self.minute) == 20)
    }

    @Test func `the longest running wait is that of who came first`() {
        var (baselines, now) = Self.served([5])
        baselines.observe(FlowStep(.arrival, visit: VisitKey("a"), timestamp: now, acuity: 4))
        baselines.observe(FlowStep(.arrival, visit: VisitKey("b"), timestamp: now + Self.minute, acuity: 2))
        #expect(Self.said(baselines, "hol", at: now + 31 * Self.minute) == 31)
        baselines.observe(FlowStep(.leftWithoutBeingSeen, visit: VisitKey("a"), timestamp: now + 32 * Self.minute))
        #expect(Self.said(baselines, "hol", at: now + 32 * Self.minute) == 31)
        // Who left is no wait that ended.
        #expect(Self.said(baselines, "les", at: now + 32 * Self.minute) == 5)
    }

    @Test func `an acuity is judged by its own waits`() {
        var (baselines, now) = Self.served([30, 30])
        let urgent = VisitKey("urgent")
        baselines.observe(FlowStep(.arrival, visit: urgent, timestamp: now, acuity: 1))
        baselines.observe(FlowStep(.treatmentStart, visit: urgent, timestamp: now + 2 * Self.minute))
        now += 10 * Self.minute
        #expect(Self.said(baselines, "ra10_acuity", acuity: 1, at: now) == 2)
        #expect(Self.said(baselines, "ra10_acuity", acuity: 3, at: now) == 30)
        // An acuity that nobody had yet: the last wait of all.
        #expect(Self.said(baselines, "ra10_acuity", acuity: 5, at: now) == 2)
        #expect(Self.said(baselines, "les", acuity: 3, at: now) == 2)
    }

    @Test func `the median of acuity and hour needs ten waits and is theirs`() {
        var baselines = Baselines()
        for number in 0..<10 {
            let visit = VisitKey("day-\(number)")
            let time = Self.noon + Int64(number) * 86_400_000
            baselines.observe(FlowStep(.arrival, visit: visit, timestamp: time, acuity: 2))
            let start = time + Int64(number + 1) * Self.minute
            baselines.observe(FlowStep(.treatmentStart, visit: visit, timestamp: start))
        }
        let time = Self.noon + 10 * 86_400_000
        #expect(Self.said(baselines, "median_acuity_hour", acuity: 2, at: time) == 5.5)
        // Another hour: the acuity's own mean.
        #expect(Self.said(baselines, "median_acuity_hour", acuity: 2, at: time + 3_600_000) == 5.5)
    }

    @Test func `queue length times the pace of busy staff`() {
        var baselines = Baselines()
        let visits = (0..<6).map { VisitKey("queue-\($0)") }
        for visit in visits {
            baselines.observe(FlowStep(.arrival, visit: visit, timestamp: Self.noon, acuity: 3))
        }
        // Three starts, four minutes apart, while others wait: two busy intervals of four minutes.
        for number in 0..<3 {
            let time = Self.noon + Int64(4 * number) * Self.minute
            baselines.observe(FlowStep(.treatmentStart, visit: visits[number], timestamp: time))
        }
        // Three wait; the one who comes now is the fourth.
        #expect(Self.said(baselines, "ql", at: Self.noon + 8 * Self.minute) == 16)
        // A more urgent one goes first.
        #expect(Self.said(baselines, "ql", acuity: 1, at: Self.noon + 8 * Self.minute) == 4)
    }

    @Test func `Erlang's C formula for one server`() {
        var baselines = Baselines()
        // One at a time, treatments of ten minutes one after the other while somebody waits, six arrivals in two hours.
        let visits = (0..<6).map { VisitKey("erlang-\($0)") }
        for visit in visits {
            baselines.observe(FlowStep(.arrival, visit: visit, timestamp: Self.noon, acuity: 3))
        }
        for (number, visit) in visits.enumerated() {
            let time = Self.noon + Int64(10 * number) * Self.minute
            if number > 0 {
                baselines.observe(FlowStep(.departure, visit: visits[number - 1], timestamp: time))
            }
            baselines.observe(FlowStep(.treatmentStart, visit: visit, timestamp: time))
        }
        // M/M/1: load 6 / 120 × 10 = 0.5, mean wait 0.5 × 10 / (1 - 0.5) = 10 minutes.
        let wait = Self.said(baselines, "erlang_c", at: Self.noon + 60 * Self.minute) ?? -1
        #expect(abs(wait - 10) < 1e-9)
    }
}
