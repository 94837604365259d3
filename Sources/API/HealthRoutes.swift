public import HTTP  // The routes are given to its server.

/// `GET /healthz` and `GET /readyz`.
public enum HealthRoutes {
    /// The routes; `snapshot` is called for each request, on the server's thread, and must not block.
    ///
    /// `/healthz` answers 200 while every lane's loop has turned within `staleMilliseconds`, `/readyz` while the
    /// service does its work; otherwise 503. Both bodies say why and hold no patient data.
    public static func routes(
        staleMilliseconds: Int64, snapshot: @escaping @Sendable () -> ServiceHealth
    ) -> [Route] {
        [
            Route(.get, "/healthz") { _ in
                let health = snapshot()
                let reasons = HealthJudgement.reasonsNotAlive(health, staleMilliseconds: staleMilliseconds)
                return .json(reasons.isEmpty ? 200 : 503, livenessJSON(health, reasons: reasons))
            },
            Route(.get, "/readyz") { _ in
                let report = ReadinessReport(health: snapshot())
                return .json(report.isReady ? 200 : 503, report.json)
            },
        ]
    }

    private static func livenessJSON(_ health: ServiceHealth, reasons: [String]) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("status", reasons.isEmpty ? "alive" : "stalled")
            writer.member("reasons", reasons)
            writer.array("lanes", health.lanes) { writer, lane in
                writer.member("name", lane.name)
                writer.member("lastTurnAgeMilliseconds", lane.lastTurnAgeMilliseconds)
            }
        }
        return writer.bytes
    }
}
