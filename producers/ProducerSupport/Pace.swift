/// How many messages are due at a time, for an even rate.
package struct Pace {
    /// Messages a second; 0: no limit.
    package let rate: Double
    private var start: Int64
    private var sent = 0

    /// Most messages between two looks at the clock.
    package static let slice = 512

    /// A pace of `rate` messages a second from `start` nanoseconds on.
    package init(rate: Double, start: Int64) {
        self.rate = rate
        self.start = start
    }

    /// Messages that may go now, at most a slice. What more than a second's worth was missed, as when the broker was
    /// away, is not made up for: a burst would be another load than the one that was asked for.
    package mutating func due(at now: Int64) -> Int {
        guard rate > 0 else { return Self.slice }
        var owed = allowed(at: now) - sent
        let most = max(1, Int(rate))
        if owed > most {
            start = now - Int64(Double(sent + most) / rate * 1e9)
            owed = most
        }
        return max(0, min(Self.slice, owed))
    }

    /// Nanoseconds until the next message is due; 0 when one is.
    package func nanosecondsToNext(at now: Int64) -> Int64 {
        guard rate > 0 else { return 0 }
        return max(0, start + Int64((Double(sent) / rate * 1e9).rounded(.up)) - now)
    }

    /// One more message was sent.
    package mutating func countSent() {
        sent += 1
    }

    /// Messages up to now, the first one at the start.
    private func allowed(at now: Int64) -> Int {
        Int(Double(now - start) / 1e9 * rate) + 1
    }
}
