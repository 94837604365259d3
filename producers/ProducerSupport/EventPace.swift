/// When an event is to be sent, by its event time: in real time, faster, slower, or at once.
package struct EventPace: Sendable {
    /// Seconds of event time a second of sending; 0: no pace.
    private let speed: Double
    /// Whether nothing may be sent before its own time.
    private let isBoundToClock: Bool
    private var eventOrigin: Int64?
    private var wallOrigin: Int64?

    /// A pace that begins with the first event.
    ///
    /// - Parameter origin: event time that is due at once, milliseconds since 1970-01-01Z; nil: the first event's.
    package init(speed: Double, from origin: Int64? = nil, isBoundToClock: Bool = false) {
        self.speed = speed
        self.isBoundToClock = isBoundToClock
        eventOrigin = origin
    }

    /// When an event of this time is due, milliseconds since 1970-01-01Z of the wall clock. The first call begins.
    package mutating func due(eventTime: Int64, wallClockMilliseconds now: Int64) -> Int64 {
        let wallStart = wallOrigin ?? now
        wallOrigin = wallStart
        let eventStart = eventOrigin ?? eventTime
        eventOrigin = eventStart
        let earliest = isBoundToClock ? eventTime : .min
        guard speed > 0 else { return earliest }
        // No farther than some thousand years, which fits, whatever a line says.
        let offset = max(-1e14, min(1e14, (Double(eventTime) - Double(eventStart)) / speed))
        return max(earliest, wallStart + Int64(offset.rounded(.up)))
    }
}
