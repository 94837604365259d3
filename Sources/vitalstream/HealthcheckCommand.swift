internal import API
internal import HTTP
internal import Service

/// `vitalstream healthcheck`: one question to a running `serve`, for containers and supervisors.
enum HealthcheckCommand {
    /// Below the time-out that container runtimes give a health check.
    private static let patience: Duration = .seconds(4)

    /// Prints one line: on standard output when all is well, else on standard error with exit code 1.
    static func run(_ settings: ResolvedSettings) -> Int32 {
        let isReadiness = settings.flag("ready")
        let host = reachable(settings.string("HTTP_HOST"))
        guard let port = UInt16(exactly: settings.integer("HTTP_PORT")), port > 0 else {
            return refuse("HTTP_PORT is 0, a port that serve chose by itself: give the one in its log")
        }
        do throws(HTTPError) {
            let answer = try HTTPClient.get(
                host: host, port: port, path: isReadiness ? "/readyz" : "/healthz", timeout: patience)
            if answer.status == 200 {
                Console.writeLine(isReadiness ? "ready" : "alive")
                return 0
            }
            return refuse("\(isReadiness ? "not ready" : "not alive"): \(cause(answer))")
        } catch {
            return refuse("\(error): is serve running, with this HTTP_HOST and HTTP_PORT?")
        }
    }

    /// The address to ask for one that serve listens on: "every address" is none that can be connected to.
    static func reachable(_ host: String) -> String {
        switch host {
        case "0.0.0.0": "127.0.0.1"
        case "::", "[::]": "::1"
        default: host
        }
    }

    /// The reasons that the service names; of an answer that is not its own, the status.
    private static func cause(_ answer: HTTPClient.Answer) -> String {
        do throws(JSONError) {
            if case .object(let members) = try JSONValue(parsing: answer.body),
                case .array(let reasons)? = members["reasons"]
            {
                return reasons.compactMap { reason in if case .string(let text) = reason { text } else { nil } }
                    .joined(separator: "; ")
            }
            return "status \(answer.status)"
        } catch {
            return "status \(answer.status), \(error)"
        }
    }

    private static func refuse(_ cause: String) -> Int32 {
        Console.writeError("vitalstream healthcheck: \(cause)")
        return 1
    }
}
