/// Whether the service lives and is ready, and if not, why: a list that is empty when all is well.
///
/// Alive is what a supervisor restarts for; ready is what it waits for. A database or broker that is away makes the
/// service unready, never dead: restarting it would not help.
public enum HealthJudgement {
    /// A list of reasons names this many, then how many more there are.
    public static let maximumReasons = 64

    /// Why the service is not alive: lanes whose loop has not turned for longer than `staleMilliseconds`.
    /// A service that has no lanes yet is starting, and alive.
    public static func reasonsNotAlive(_ health: ServiceHealth, staleMilliseconds: Int64) -> [String] {
        shortened(
            health.lanes.filter { $0.lastTurnAgeMilliseconds > staleMilliseconds }.map {
                "\($0.name): no turn for \($0.lastTurnAgeMilliseconds) ms"
            })
    }

    /// Why the service is not ready: no lane, a lane outside its group or without a writable database, a partition
    /// that is stopped or whose lag is unknown.
    public static func reasonsNotReady(_ health: ServiceHealth) -> [String] {
        if health.lanes.isEmpty { return ["no lane runs yet"] }
        var reasons: [String] = []
        for lane in health.lanes {
            if lane.membership == .joining { reasons.append("\(lane.name): not yet assigned by the consumer group") }
            if case .unavailable(let reason) = lane.database {
                reasons.append("\(lane.name): database not writable: \(reason)")
            }
            for partition in lane.partitions {
                let name = "\(lane.name): \(partition.topic)/\(partition.partition)"
                if case .stopped(let reason) = partition.state { reasons.append("\(name): stopped: \(reason)") }
                guard partition.lag == nil else { continue }
                if case .waiting(let reason) = partition.state {
                    reasons.append("\(name): lag unknown: \(reason)")
                } else {
                    reasons.append("\(name): lag unknown")
                }
            }
        }
        return shortened(reasons)
    }

    private static func shortened(_ reasons: [String]) -> [String] {
        guard reasons.count > maximumReasons else { return reasons }
        return reasons.prefix(maximumReasons) + ["and \(reasons.count - maximumReasons) more"]
    }
}
