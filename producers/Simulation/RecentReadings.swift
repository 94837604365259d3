/// A reading that was sent, as the service's table holds it now: with all merges and corrections so far.
struct SentReading: BitwiseCopyable {
    var state: SimulatedReading
    /// The value that the last correction replaced, hundredths; -1 when none did.
    var replacedHundredths: Int32 = -1
    /// Which vital sign that was.
    var replacedVital: Int8 = 0
}

/// The last 8,192 readings that were sent, of which duplicates, merges and corrections are made.
struct RecentReadings: ~Copyable {
    private static let capacity = 8_192
    private let storage: UnsafeMutablePointer<SentReading>
    private(set) var count = 0
    private var next = 0

    init() {
        storage = .allocate(capacity: Self.capacity)
        storage.initialize(repeating: SentReading(state: SimulatedReading()), count: Self.capacity)
    }

    deinit {
        storage.deallocate()
    }

    subscript(place: Int) -> SentReading {
        get {
            precondition(place >= 0 && place < count, "no reading was sent there")
            return storage[place]
        }
        set {
            precondition(place >= 0 && place < count, "no reading was sent there")
            storage[place] = newValue
        }
    }

    /// Remembers a reading, in the place of the oldest when full.
    mutating func append(_ reading: SimulatedReading) {
        storage[next] = SentReading(state: reading)
        next = next + 1 == Self.capacity ? 0 : next + 1
        count = min(count + 1, Self.capacity)
    }

    /// A random place, nil when empty: half of the time among the last 64, so that a service's batch often holds
    /// the same key several times, else among all, so that it often meets what it has committed.
    func pick(_ random: inout SeededRandom) -> Int? {
        guard count > 0 else { return nil }
        if random.oneIn(2) { return random.below(count) }
        let back = 1 + random.below(min(64, count))
        return next >= back ? next - back : next - back + Self.capacity
    }
}
