internal import Service

/// Why a test cannot go on.
package struct TestFailure: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}

/// Asks again and again until there is an answer, and fails when none has come in time.
/// - Parameter state: completes "after ... still not: ".
@discardableResult
package func eventually<Answer>(
    _ state: @autoclosure () -> String, within limit: Duration = .seconds(60),
    every pause: Duration = .milliseconds(20),
    _ probe: () throws -> Answer?
) throws -> Answer {
    let deadline = Deadline.after(limit)
    var pauses = PollSet(capacity: 1)
    while true {
        if let answer = try probe() { return answer }
        if deadline.hasPassed() { throw TestFailure("after \(limit) still not: \(state())") }
        _ = pauses.wait(until: .after(pause))
    }
}

/// The same for a condition.
package func eventually(
    _ state: @autoclosure () -> String, within limit: Duration = .seconds(60),
    every pause: Duration = .milliseconds(20),
    until condition: () throws -> Bool
) throws {
    _ = try eventually(state(), within: limit, every: pause) { try condition() ? true : nil }
}
