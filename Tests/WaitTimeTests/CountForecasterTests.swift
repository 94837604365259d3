import Testing
import WaitTime

struct CountForecasterTests {
    private static let firstHour: Int64 = 470_000

    /// Counts of a hospital with a day and a week, the same in every run; every 97th hour is missing.
    private static func series(_ hours: Int) -> [Double?] {
        var numbers = SmallHospital.Numbers(state: 11)
        return (0..<hours).map { place in
            let hour = Int64(place) + firstHour
            let day = [2, 1, 1, 1, 1, 2, 4, 7, 10, 12, 13, 13, 12, 12, 11, 11, 11, 12, 12, 11, 9, 7, 5, 3][
                Int(hour % 24)]
            let rate = UInt64(day + (hour / 24 % 7 == 4 ? 6 : 0))
            // Twice as many trials at one half: variance half of the mean; and what is left at random.
            let count = (0..<2 * rate).reduce(0) { sum, _ in sum + numbers.below(2) }
            return place % 97 == 96 ? nil : Double(count)
        }
    }

    private static func run(_ forecaster: inout CountForecaster, _ values: ArraySlice<Double?>) -> [[CountForecast]] {
        values.indices.map { forecaster.observe(values[$0], hour: firstHour + Int64($0)) }
    }

    @Test(arguments: [CountForecaster.Kind.events, .level])
    func `state read back goes on bit for bit`(kind: CountForecaster.Kind) throws {
        let values = Self.series(900)
        var whole = CountForecaster(kind, horizons: [1, 4, 24])
        _ = Self.run(&whole, values[..<600])
        var restored = try CountForecaster(serialised: whole.serialised())
        #expect(restored.serialised() == whole.serialised())
        let told = Self.run(&restored, values[600...])
        let expected = Self.run(&whole, values[600...])
        #expect(told == expected)
        #expect(restored.serialised() == whole.serialised())
        #expect(throws: StateError.damaged) {
            _ = try CountForecaster(serialised: Array(whole.serialised().dropLast()))
        }
    }

    @Test func `a forecast does not depend on what comes after it`() {
        let values = Self.series(700)
        var first = CountForecaster(.events, horizons: [1, 24])
        var second = CountForecaster(.events, horizons: [1, 24])
        var changed = values
        for place in 500..<700 { changed[place] = 90 }
        let calm = Self.run(&first, values[...])
        let stormy = Self.run(&second, changed[...])
        #expect(Array(calm[..<500]) == Array(stormy[..<500]))
        #expect(calm[699] != stormy[699])
    }

    @Test func `quantiles ascend and the profile of the day is found`() {
        var forecaster = CountForecaster(.events, horizons: [24])
        let values = Self.series(24 * 7 * 12)
        let forecasts = Self.run(&forecaster, values[...])
        let levels = [0.05, 0.25, 0.5, 0.75, 0.95]
        for forecast in forecasts {
            let quantiles = forecast[0].quantiles(levels)
            #expect(quantiles == quantiles.sorted())
            #expect(quantiles[0] >= 0)
        }
        var missed = 0.0
        var naive = 0.0
        for place in 24 * 7 * 8..<values.count - 24 {
            guard let actual = values[place + 24], let before = values[place + 24 - 168] else { continue }
            missed += abs(actual - forecasts[place][0].quantile(0.5))
            naive += abs(actual - before)
        }
        #expect(missed < 0.85 * naive)
    }

    @Test func `an evaluation scores the test part against the week before`() {
        // A series that repeats each week but for one hour of the last.
        var values: [Double?] = (0..<168 * 12).map { Double($0 % 168 % 24) }
        values[168 * 12 - 1] = 5
        let table = CountEvaluation(values, firstHour: 0, warmUp: 0.75, horizons: [1, 4]).table()
        #expect(table.map(\.horizon) == [1, 4, nil])
        #expect(table.map(\.count) == [504, 504, 1_008])
        // It was to be 23: an error of 18 in one of 504 hours.
        #expect(abs(table[0].naiveError - 18.0 / 504) < 1e-12)
        #expect(abs(table[1].profileError - 18.0 / 504) < 1e-12)
    }
}
