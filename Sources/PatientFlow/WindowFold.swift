/// Folds the timelines of a facility's visits into the values of a window; see docs/windows.md for each formula.
///
/// Everything is counted in whole milliseconds and divided once at the end, in the form in which SQL divides, so that
/// both give the same bits.
public enum WindowFold {
    /// Who is still where treatment began after this time is taken for a boarder: 4 hours.
    public static let boardingAfterMilliseconds: Int64 = 240 * 60_000
    /// The four-hour standard.
    public static let promptMilliseconds: Int64 = 240 * 60_000

    /// The row of a window. `timelines` holds at least every visit of the facility with `arrival < end` and
    /// `reach >= start`; others do not matter, nor does their order.
    /// - Complexity: O(n log n) of the stays in the window.
    public static func row(_ key: WindowKey, _ timelines: some Sequence<VisitTimeline>) -> OccupancyWindow {
        var tally = Tally(key)
        for timeline in timelines where timeline.arrival < key.end && timeline.reach >= key.start {
            tally.add(timeline)
        }
        return tally.row()
    }

    /// Whether a visit is a reason for the row to be there: a stay overlaps the window, something is counted in it,
    /// or one of its events names the sector in it.
    static func hasReason(_ key: WindowKey, _ timeline: VisitTimeline?, naming: [FlowEvent]) -> Bool {
        if let timeline {
            let stays = timeline.stays.contains {
                $0.from < key.end && $0.to > key.start && $0.sector == key.sector
            }
            if stays || timeline.instants.contains(where: { key.contains($0.time) && $0.sector == key.sector }) {
                return true
            }
        }
        return naming.contains { key.contains($0.occurredAt) && $0.names(key.sector) }
    }

    /// What one window collects.
    private struct Tally {
        let key: WindowKey
        var window: OccupancyWindow
        var presence = Concurrency()
        var waiting = Concurrency()
        var waits: [Int64] = []
        var stayed: [Int64] = []
        var longestWait: Int64?

        init(_ key: WindowKey) {
            self.key = key
            window = OccupancyWindow(key: key)
        }

        mutating func add(_ timeline: VisitTimeline) {
            for stay in timeline.stays where stay.sector == key.sector { add(stay, of: timeline) }
            for instant in timeline.instants where key.contains(instant.time) && instant.sector == key.sector {
                count(instant)
            }
        }

        /// "Just before t" of an interval [from, to) is from < t <= to.
        private mutating func add(_ stay: VisitTimeline.Stay, of timeline: VisitTimeline) {
            if stay.from < key.start && key.start <= stay.to { window.censusStart += 1 }
            presence.add(from: max(stay.from, key.start), to: min(stay.to, key.end))
            let waitTo = min(stay.to, timeline.waitEnd)
            waiting.add(from: max(stay.from, key.start), to: min(waitTo, key.end))
            guard stay.from < key.end && key.end <= stay.to else { return }
            window.censusEnd += 1
            if key.end <= timeline.waitEnd {
                window.waitingEnd += 1
                longestWait = max(longestWait ?? 0, key.end - timeline.arrival)
            }
            guard let start = timeline.treatmentStart, start < key.end else { return }
            window.inTreatmentEnd += 1
            // The stay holds an instant after the start of treatment, so it contains it when it began by then.
            if stay.from <= start && start <= key.end - WindowFold.boardingAfterMilliseconds {
                window.boardingEnd += 1
            }
        }

        private mutating func count(_ instant: VisitTimeline.Instant) {
            switch instant.kind {
            case .arrival: window.arrivals += 1
            case .transferIn: window.transfersIn += 1
            case .transferOut: window.transfersOut += 1
            case .treatmentStart(let waited):
                window.treatmentStarts += 1
                waits.append(waited)
            case .departure(let time):
                window.departures += 1
                stayed.append(time)
            case .leftWithoutBeingSeen(let time):
                window.leftWithoutBeingSeen += 1
                stayed.append(time)
            }
        }

        mutating func row() -> OccupancyWindow {
            window.censusMean = Double(presence.milliseconds) / Double(key.lengthMilliseconds)
            window.censusMax = presence.most()
            window.waitingMax = waiting.most()
            window.longestCurrentWaitMinutes = longestWait.map { Double($0) / 60_000.0 }
            if !waits.isEmpty {
                waits.sort()
                let sum = waits.reduce(0, +)
                window.waitMeanMinutes = Double(sum) / Double(Int64(waits.count) * 60_000)
                window.waitP50Minutes = Double(nearestRank(waits, 0.5)) / 60_000.0
                window.waitP90Minutes = Double(nearestRank(waits, 0.9)) / 60_000.0
            }
            if !stayed.isEmpty {
                let prompt = stayed.count { $0 <= WindowFold.promptMilliseconds }
                window.fourHourShare = Double(prompt) / Double(stayed.count)
            }
            return window
        }

        /// As `percentile_disc`: the least value that at least this share does not exceed.
        private func nearestRank(_ sorted: [Int64], _ share: Double) -> Int64 {
            let rank = (share * Double(sorted.count)).rounded(.up)
            return sorted[max(0, Int(rank) - 1)]
        }
    }

    /// How many intervals hold one instant, at most; and how long they are together.
    private struct Concurrency {
        private var starts: [Int64] = []
        private var ends: [Int64] = []
        private(set) var milliseconds: Int64 = 0

        mutating func add(from: Int64, to: Int64) {
            guard from < to else { return }
            starts.append(from)
            ends.append(to)
            milliseconds += to - from
        }

        mutating func most() -> Int {
            starts.sort()
            ends.sort()
            var (most, over) = (0, 0)
            for (begun, start) in starts.enumerated() {
                // Half-open: who leaves at this instant is no longer there.
                while ends[over] <= start { over += 1 }
                most = max(most, begun + 1 - over)
            }
            return most
        }
    }
}
