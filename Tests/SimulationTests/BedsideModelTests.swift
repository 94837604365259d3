import Simulation
import Testing

/// What 240 patients show in a week, each read every few minutes.
@Suite struct BedsideModelTests {
    static let week: [NaiveLedger.Key: [String: StoredValue]] = {
        var ledger = NaiveLedger()
        // 165 readings a round of 8 minutes.
        // Without a configuration the tests fail for want of readings.
        guard let week = try? SimulationConfiguration.forTest(seed: 21, patients: 240, slotMilliseconds: 40_000)
        else { return [:] }
        generate(15_000, week) { _ = ledger.apply($0.payload, brokerTime: streamClock) }
        return ledger.rows
    }()

    private func values(_ name: String) -> [Double] {
        Self.week.values.compactMap { if case .number(let value) = $0[name] { value } else { nil } }
    }

    @Test(arguments: [
        // Narrower than what CONTRACT accepts; the means are those of BedsidePatient, moved a little by episodes.
        (name: "heartRate", limits: 0.0...250.0, mean: 80.0...95.0),
        (name: "temperature", limits: 30.0...43.0, mean: 36.5...37.5),
        (name: "oxygenSaturation", limits: 30.0...100.0, mean: 93.0...98.0),
        (name: "respiratoryRate", limits: 2.0...60.0, mean: 15.0...20.0),
        (name: "systolicPressure", limits: 40.0...260.0, mean: 110.0...135.0),
        (name: "diastolicPressure", limits: 20.0...160.0, mean: 62.0...85.0),
    ])
    func `values are plausible`(name: String, limits: ClosedRange<Double>, mean: ClosedRange<Double>) {
        let values = values(name)
        #expect(values.count > 1_500)
        #expect(values.allSatisfy(limits.contains))
        #expect(mean.contains(values.reduce(0, +) / Double(max(1, values.count))))
    }

    @Test func `the diastolic pressure is always below the systolic one`() {
        for row in Self.week.values {
            guard case .number(let high) = row["systolicPressure"], case .number(let low) = row["diastolicPressure"]
            else { continue }
            #expect(low < high)
        }
    }

    @Test func `some patients deteriorate, and some sensors drop out`() {
        #expect(values("temperature").contains { $0 >= 39 })
        #expect(values("oxygenSaturation").contains { $0 < 85 })
        #expect(values("heartRate").contains { $0 > 130 })
        let rows = Self.week.values
        #expect(rows.contains { $0["heartRate"] == nil })
        #expect(rows.contains { $0["oxygenSaturation"] == nil })
        #expect(rows.contains { $0["consciousness"] == .string("A") })
        #expect(rows.contains { ($0["consciousness"] ?? .string("A")) != .string("A") })
        #expect(rows.contains { $0["supplementalOxygen"] == .bool(true) })
    }

    @Test func `heart rate and temperature rise together, heart rate and saturation do not`() {
        #expect(correlation("heartRate", "temperature") > 0.1)
        #expect(correlation("heartRate", "oxygenSaturation") < 0)
    }

    @Test func `patients are warmer in the evening than in the morning`() {
        func mean(hours: ClosedRange<Int64>) -> Double {
            var sum = 0.0
            var count = 0.0
            for (key, row) in Self.week where hours.contains(key.time / 3_600_000 % 24) {
                guard case .number(let value) = row["temperature"] else { continue }
                sum += value
                count += 1
            }
            return sum / count
        }
        #expect(mean(hours: 18...20) - mean(hours: 6...8) > 0.2)
    }

    private func correlation(_ first: String, _ second: String) -> Double {
        let pairs = Self.week.values.compactMap { row -> (Double, Double)? in
            guard case .number(let left) = row[first], case .number(let right) = row[second] else { return nil }
            return (left, right)
        }
        let count = Double(pairs.count)
        let left = pairs.reduce(0) { $0 + $1.0 } / count
        let right = pairs.reduce(0) { $0 + $1.1 } / count
        let both = pairs.reduce(0) { $0 + ($1.0 - left) * ($1.1 - right) }
        let leftSquare = pairs.reduce(0) { $0 + ($1.0 - left) * ($1.0 - left) }
        let rightSquare = pairs.reduce(0) { $0 + ($1.1 - right) * ($1.1 - right) }
        return both / (leftSquare * rightSquare).squareRoot()
    }
}
