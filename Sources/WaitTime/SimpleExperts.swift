internal import Glibc

/// Predictors that need no learning, in minutes: what a hospital might post on a screen. The mixture starts on them.
struct SimpleExperts {
    /// In the order of `values`.
    static let names = [
        "les", "hol", "ra5", "ra10", "ra50", "ra10_acuity", "posted_4h", "median_acuity_hour", "queue_length",
        "les_scaled", "hol_scaled", "erlang_c",
    ]
    static let count = names.count

    /// In minutes, by the names above.
    private(set) var values: [Double]

    /// For a patient of this acuity who arrives at this time.
    init(_ queue: SectorQueue, acuity: Int, at time: Int64) {
        let recent = RecentWaits(queue, acuity: acuity, at: time)
        let waits = QueuePicture(queue, acuity: acuity, at: time)
        let perPlace = queue.pace.slowInterval.map { $0 / 60_000 }
        let queueLength = Self.queueLength(queue, ahead: waits.ahead)
        values = [
            recent.last, waits.oldest, recent.mean5, recent.mean10, recent.mean50, recent.acuityMean10,
            recent.fourHours,
            queue.hourly.median(acuity: acuity, arrivedAt: time) ?? recent.acuityMean10,
            queueLength,
            Self.scaled(recent.last, by: Double(waits.ahead + 1) / Double((queue.ended.newest?.ahead ?? 0) + 1)),
            Self.scaled(waits.oldest, by: Double(waits.ahead + 1) / Double(waits.aheadOfOldest + 1)),
            Self.erlangC(queue, at: time, perPlace: perPlace) ?? queueLength,
        ]
        for place in values.indices { values[place] = min(max(0, values[place]), Limits.longestMinutes) }
    }

    /// A wait that was seen by somebody behind another number of people (Ibrahim and Whitt, "Real-time delay
    /// estimation based on delay history", M&SOM 11(3), 2009, doi:10.1287/msom.1080.0223).
    private static func scaled(_ wait: Double, by ratio: Double) -> Double { wait * min(ratio, 8) }

    /// The people ahead, times the interval at which busy staff call them; nothing while a place is free.
    static func queueLength(_ queue: SectorQueue, ahead: Int) -> Double {
        guard let interval = queue.pace.fastInterval else { return 0 }
        let isFree = queue.waiting.isEmpty && Double(queue.treated.count) < (queue.pace.fastPlaces ?? 0) - 0.5
        return isFree ? 0 : Double(ahead + 1) * interval / 60_000
    }

    /// The mean wait of M/M/c in steady state from the last two hours' arrivals, the mean treatment time and the
    /// places seen in use; nil where they say that the queue grows without end.
    static func erlangC(_ queue: SectorQueue, at time: Int64, perPlace: Double?) -> Double? {
        guard let places = queue.pace.slowPlaces, let perPlace, perPlace > 0 else { return nil }
        let servers = min(200, max(1, Int(places + 0.5)))
        let treatment = perPlace * Double(servers)
        let load = Double(RecentCounts.since(queue.arrivals, time - 7_200_000)) / 120 * treatment
        guard load < Double(servers) * 0.98 else { return nil }
        var blocking = 1.0
        for server in 1...servers { blocking = load * blocking / (Double(server) + load * blocking) }
        let usage = load / Double(servers)
        let waits = blocking / (1 - usage + usage * blocking)
        return waits * treatment / (Double(servers) - load)
    }
}

/// What the predictor never goes beyond.
enum Limits {
    /// Longer waits are neither predicted nor learnt: 12 hours, in minutes.
    static let longestMinutes = 720.0
}

/// Means of the waits that ended last, in minutes.
struct RecentWaits {
    var last = 0.0
    var mean5 = 0.0
    var mean10 = 0.0
    var mean20 = 0.0
    var mean50 = 0.0
    var twoHours = 0.0
    var fourHours = 0.0
    var acuityLast = 0.0
    var acuityMean5 = 0.0
    var acuityMean10 = 0.0

    init(_ queue: SectorQueue, acuity: Int, at time: Int64) {
        let ended = queue.ended
        var sum = 0.0
        var long = (sum: 0.0, count: 0)
        var short = (sum: 0.0, count: 0)
        for age in 0..<ended.count {
            let wait = Double(ended[age: age].wait) / 60_000
            let elapsed = time - ended[age: age].endedAt
            if age >= 50, elapsed >= 4 * 3_600_000 { break }
            sum += wait
            if age == 0 { last = wait }
            if age < 5 { mean5 = sum / Double(age + 1) }
            if age < 10 { mean10 = sum / Double(age + 1) }
            if age < 20 { mean20 = sum / Double(age + 1) }
            if age < 50 { mean50 = sum / Double(age + 1) }
            if elapsed < 4 * 3_600_000 { long = (long.sum + wait, long.count + 1) }
            if elapsed < 2 * 3_600_000 { short = (short.sum + wait, short.count + 1) }
        }
        fourHours = long.count > 0 ? long.sum / Double(long.count) : last
        twoHours = short.count > 0 ? short.sum / Double(short.count) : last
        acuityLast = last
        acuityMean5 = last
        acuityMean10 = last
        let same = queue.endedByAcuity[acuity - 1]
        sum = 0
        for age in 0..<min(10, same.count) {
            let wait = Double(same[age: age]) / 60_000
            sum += wait
            if age == 0 { acuityLast = wait }
            if age < 5 { acuityMean5 = sum / Double(age + 1) }
            acuityMean10 = sum / Double(age + 1)
        }
    }
}

/// The queue as one who arrives sees it; times in minutes.
struct QueuePicture {
    var higher = 0
    var same = 0
    var lower = 0
    var oldest = 0.0
    var oldestSame = 0.0
    var oldestAhead = 0.0
    /// Since the newest arrival that still waits.
    var youngest = 0.0
    var elapsedSum = 0.0
    /// How many were ahead of the one who waits longest when that one came.
    var aheadOfOldest = 0

    var ahead: Int { higher + same }
    var count: Int { higher + same + lower }

    init(_ queue: SectorQueue, acuity: Int, at time: Int64) {
        var newest = Int64.min
        for visit in queue.waiting {
            let elapsed = Double(max(0, time - visit.arrivedAt)) / 60_000
            elapsedSum += elapsed
            newest = max(newest, visit.arrivedAt)
            if elapsed > oldest || count == 0 {
                oldest = elapsed
                aheadOfOldest = visit.ahead
            }
            if visit.acuity < acuity {
                higher += 1
            } else if visit.acuity > acuity {
                lower += 1
                continue
            } else {
                same += 1
                oldestSame = max(oldestSame, elapsed)
            }
            oldestAhead = max(oldestAhead, elapsed)
        }
        if count > 0 { youngest = Double(max(0, time - newest)) / 60_000 }
    }
}

/// Counts of events in the last hours.
enum RecentCounts {
    /// How many of the ring are later than `time`.
    static func since(_ ring: Ring<Int64>, _ time: Int64) -> Int {
        var count = 0
        while count < ring.count, ring[age: count] > time { count += 1 }
        return count
    }
}
