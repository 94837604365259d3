import Simulation
import Testing

@Suite struct ArrivalTests {
    /// A year of whole weeks without bad days.
    private static let days = 364
    private static let year: (plan: FacilityPlan, arrivals: [FlowEvent])? = {
        let configuration = try? FlowConfiguration.forTest(seed: 31, days: Int64(days), arrivals: 300, badDays: 0)
        guard let configuration else { return nil }
        return (FacilityPlan(configuration, facility: 0), happened(configuration).filter { $0.kind == .arrival })
    }()

    /// Five standard deviations of chance, and two in a hundred for the days that differ from each other.
    private func isNear(_ count: Int, _ expected: Double) -> Bool {
        abs(Double(count) - expected) < 5 * expected.squareRoot() + 0.02 * expected
    }

    @Test func `arrivals follow hour and weekday`() throws {
        let year = try #require(Self.year)
        let total = year.plan.arrivalsPerDay * Double(Self.days)
        #expect(isNear(year.arrivals.count, total))
        var hours = [Int](repeating: 0, count: 24)
        var weekdays = [Int](repeating: 0, count: 7)
        for event in year.arrivals {
            let sinceStart = event.time - flowStart
            hours[Int(sinceStart / 3_600_000 % 24)] += 1
            // The start is a Monday.
            weekdays[Int(sinceStart / flowDay % 7)] += 1
        }
        for hour in 0..<24 { #expect(isNear(hours[hour], total / 24 * ArrivalProfile.hours[hour]), "hour \(hour)") }
        for day in 0..<7 { #expect(isNear(weekdays[day], total / 7 * ArrivalProfile.weekdays[day]), "day \(day)") }
    }

    @Test func `arrivals scatter as a Poisson process does, days a little more`() throws {
        let year = try #require(Self.year)
        var hours = [Int](repeating: 0, count: Self.days * 24)
        for event in year.arrivals { hours[Int((event.time - flowStart) / 3_600_000)] += 1 }
        // Variance over expectation: 1 by chance alone, and 0.0049 times the expectation of some 12 for the days.
        var sum = 0.0
        for (hour, count) in hours.enumerated() {
            let rate = ArrivalProfile.factor(at: flowStart + Int64(hour) * 3_600_000)
            let expected = year.plan.arrivalsPerDay / 24 * rate
            sum += (Double(count) - expected) * (Double(count) - expected) / expected
        }
        #expect((0.95...1.2).contains(sum / Double(hours.count)))
    }

    @Test func `acuity has its mix`() throws {
        let year = try #require(Self.year)
        let configuration = try FlowConfiguration.forTest(seed: 31, days: Int64(Self.days), arrivals: 300, badDays: 0)
        let triaged = happened(configuration).filter { $0.kind == .triage }
        for acuity in 1...5 {
            let expected = Double(triaged.count) * FacilityPlan.acuityMix[acuity - 1]
            #expect(isNear(triaged.filter { $0.acuity == acuity }.count, expected), "acuity \(acuity)")
        }
        // One in twelve is graded anew.
        var atTheDoor: [RandomIdentifier: Int] = [:]
        for event in year.arrivals { atTheDoor[event.visit] = event.acuity }
        let changed = triaged.filter { atTheDoor[$0.visit] != nil && atTheDoor[$0.visit] != $0.acuity }
        #expect(isNear(changed.count, Double(triaged.count) / 12))
    }

    @Test func `on a third of the bad days a third more patients come`() throws {
        let configuration = try FlowConfiguration.forTest(seed: 32, days: 365, arrivals: 300, badDays: 1_000_000)
        let plan = FacilityPlan(configuration, facility: 0)
        var counts = [Int](repeating: 0, count: 365)
        for event in happened(configuration) where event.kind == .arrival {
            counts[Int((event.time - flowStart) / flowDay)] += 1
        }
        var crowded: (days: Int, relative: Double) = (0, 0)
        var others: (days: Int, relative: Double) = (0, 0)
        for day in 0..<365 {
            let time = flowStart + Int64(day) * flowDay
            let relative = Double(counts[day]) / plan.arrivalsPerDay / ArrivalProfile.weekdays[day % 7]
            if plan.day(at: time).trouble == .crowd {
                crowded = (crowded.days + 1, crowded.relative + relative)
            } else {
                others = (others.days + 1, others.relative + relative)
            }
        }
        #expect((80...165).contains(crowded.days))
        #expect(abs(crowded.relative / Double(crowded.days) - 1.33) < 0.05)
        #expect(abs(others.relative / Double(others.days) - 1) < 0.03)
    }

    @Test func `waiting times without memory have mean 1 and exceed x with probability e to the minus x`() {
        var random = SeededRandom(seed: 33)
        let values = (0..<200_000).map { _ in random.exponential() }
        #expect(abs(values.reduce(0, +) / 200_000 - 1) < 0.012)
        for (limit, share) in [(0.1, 0.904_837), (0.693_147, 0.5), (1, 0.367_879), (3, 0.049_787)] {
            #expect(abs(Double(values.count { $0 > limit }) / 200_000 - share) < 0.006)
        }
    }

    @Test func `durations have their median and their mean`() {
        var random = SeededRandom(seed: 34)
        let values = (0..<200_000).map { _ in random.skewed(median: 100, spread: 0.65) }.sorted()
        #expect(abs(values[100_000] - 100) < 1)
        let mean = values.reduce(0, +) / 200_000
        #expect(abs(mean - SeededRandom.meanOfSkewed(median: 100, spread: 0.65)) < 2)
        #expect(values[0] > 0)
    }
}
