internal import Glibc

/// The numbers that the learnt models see, for one patient at one instant.
enum Features {
    /// In the order in which `fill` writes them.
    static let names: [String] = {
        var all: [String] = ["acuity_1", "acuity_2", "acuity_3", "acuity_4", "acuity_5"]
        all += ["day_sine_1", "day_cosine_1", "day_sine_2", "day_cosine_2", "day_sine_3", "day_cosine_3"]
        all += ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]
        for name in ["waiting", "waiting_higher", "waiting_same", "waiting_lower", "waiting_ahead", "in_treatment"] {
            all.append(name)
            all.append("root_" + name)
        }
        all += [
            "root_longest_wait", "root_longest_wait_same", "root_longest_wait_ahead", "root_sum_elapsed",
            "root_last_wait", "root_mean_5", "root_mean_10", "root_mean_20", "root_mean_50", "root_mean_4h",
            "root_mean_2h", "root_last_wait_acuity", "root_mean_5_acuity", "root_mean_10_acuity",
            "root_treatment_time", "root_since_start",
        ]
        all += [
            "arrivals_1h", "arrivals_2h", "arrivals_4h", "starts_1h", "starts_2h", "starts_4h", "departures_1h",
            "departures_2h",
        ]
        all += [
            "root_queue_length_wait", "root_slow_queue_length_wait", "root_scaled_last_wait",
            "root_scaled_longest_wait", "root_median_acuity_hour", "free_places", "slow_free_places",
            "root_free_places", "nobody_waits", "place_free", "root_since_newest", "root_since_arrival",
            "root_last_3", "share_at_once_5", "share_at_once_20", "root_since_departure",
        ]
        all += [
            "low_root_waiting", "low_root_longest_wait_same", "low_root_mean_10", "low_root_mean_10_acuity",
            "low_root_longest_wait_ahead", "low_root_waiting_ahead", "low_root_arrivals_2h", "low_root_starts_2h",
        ]
        return all
    }()
    static let count = names.count

    /// Writes the features of a patient of this acuity who arrives at this time; `experts` are those of the same.
    static func fill(
        _ row: inout [Double], _ queue: SectorQueue, acuity: Int, at time: Int64, experts: SimpleExperts
    ) {
        row.removeAll(keepingCapacity: true)
        for level in 1...5 { row.append(level == acuity ? 1 : 0) }
        calendar(&row, time)
        let picture = QueuePicture(queue, acuity: acuity, at: time)
        let recent = RecentWaits(queue, acuity: acuity, at: time)
        let numbers: [Int] = [
            picture.count, picture.higher, picture.same, picture.lower, picture.ahead, queue.treated.count,
        ]
        for number in numbers {
            row.append(Double(number))
            row.append(Double(number).squareRoot())
        }
        let treatment = mean(queue.treatments) ?? 60
        let sinceStart = queue.ended.newest.map { Double(max(0, time - $0.endedAt)) / 60_000 } ?? 0
        let minutes: [Double] = [
            picture.oldest, picture.oldestSame, picture.oldestAhead, picture.elapsedSum, recent.last, recent.mean5,
            recent.mean10, recent.mean20, recent.mean50, recent.fourHours, recent.twoHours, recent.acuityLast,
            recent.acuityMean5, recent.acuityMean10, treatment, sinceStart,
        ]
        for value in minutes { row.append(value.squareRoot()) }
        let hour: Int64 = 3_600_000
        let arrivals2 = RecentCounts.since(queue.arrivals, time - 2 * hour)
        let starts2 = startsSince(queue, time - 2 * hour)
        let counts: [Int] = [
            RecentCounts.since(queue.arrivals, time - hour), arrivals2,
            RecentCounts.since(queue.arrivals, time - 4 * hour), startsSince(queue, time - hour), starts2,
            startsSince(queue, time - 4 * hour), RecentCounts.since(queue.departures, time - hour),
            RecentCounts.since(queue.departures, time - 2 * hour),
        ]
        for count in counts { row.append(Double(count)) }
        capacity(&row, queue, picture, experts, at: time)
        let isLow = acuity >= 4 ? 1.0 : 0
        let forLow: [Double] = [
            Double(picture.count), picture.oldestSame, recent.mean10, recent.acuityMean10, picture.oldestAhead,
            Double(picture.ahead), Double(arrivals2), Double(starts2),
        ]
        for value in forLow { row.append(isLow * value.squareRoot()) }
    }

    private static func calendar(_ row: inout [Double], _ time: Int64) {
        let day = 86_400_000.0
        let turn = 2 * Double.pi * (Double(((time % 86_400_000) + 86_400_000) % 86_400_000) / day)
        for harmonic in 1...3 {
            row.append(sin(Double(harmonic) * turn))
            row.append(cos(Double(harmonic) * turn))
        }
        let days = (time >= 0 ? time : time - 86_399_999) / 86_400_000
        // 1970-01-01 was a Thursday; 0 is Monday.
        let weekday = ((days + 3) % 7 + 7) % 7
        for name in 0..<6 { row.append(Int64(name) == weekday ? 1 : 0) }
    }

    /// What tells whether a place is free, and how long the queue takes if not.
    private static func capacity(
        _ row: inout [Double], _ queue: SectorQueue, _ picture: QueuePicture, _ experts: SimpleExperts, at time: Int64
    ) {
        let inTreatment = Double(queue.treated.count)
        let free = (queue.pace.fastPlaces ?? inTreatment) - inTreatment
        let slowFree = (queue.pace.slowPlaces ?? inTreatment) - inTreatment
        let slow = (queue.pace.slowInterval ?? 0) / 60_000 * Double(picture.ahead + 1)
        row.append(experts.values[8].squareRoot())
        row.append(slow.squareRoot())
        row.append(experts.values[9].squareRoot())
        row.append(experts.values[10].squareRoot())
        row.append(experts.values[7].squareRoot())
        row.append(free)
        row.append(slowFree)
        row.append(max(0, free).squareRoot())
        row.append(picture.count == 0 ? 1 : 0)
        row.append(picture.count == 0 && slowFree > 0.5 ? 1 : 0)
        row.append(picture.youngest.squareRoot())
        row.append(since(queue.arrivals, time).squareRoot())
        var last = 0.0
        var atOnce = (few: 0.0, many: 0.0)
        let many = min(20, queue.ended.count)
        for age in 0..<many {
            let wait = Double(queue.ended[age: age].wait) / 60_000
            if age < 3 { last += wait }
            if wait < 0.05 { atOnce.many += 1 }
            if age < 5, wait < 0.05 { atOnce.few += 1 }
        }
        row.append((last / 3).squareRoot())
        row.append(atOnce.few / Double(max(1, min(5, many))))
        row.append(atOnce.many / Double(max(1, many)))
        row.append(since(queue.departures, time).squareRoot())
    }

    /// Minutes since the ring's newest time, at most a day; 0 when there is none.
    private static func since(_ ring: Ring<Int64>, _ time: Int64) -> Double {
        ring.newest.map { min(1_440, Double(max(0, time - $0)) / 60_000) } ?? 0
    }

    private static func startsSince(_ queue: SectorQueue, _ time: Int64) -> Int {
        var count = 0
        while count < queue.ended.count, queue.ended[age: count].endedAt > time { count += 1 }
        return count
    }

    private static func mean(_ ring: Ring<Int64>) -> Double? {
        guard ring.count > 0 else { return nil }
        var sum: Int64 = 0
        for age in 0..<ring.count { sum += ring[age: age] }
        return Double(sum) / Double(ring.count) / 60_000
    }
}
