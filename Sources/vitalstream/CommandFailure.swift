internal import Kafka
internal import Postgres
internal import Service

/// Why a command did not do what it was asked, in one line that says what to do.
struct CommandFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }

    /// One line about any error that a command meets, with its remedy.
    /// - Parameter databaseURL: where the database is; a certificate that was refused is looked at once more.
    static func explain(_ error: any Error, databaseURL: String) -> String {
        switch error {
        case let error as PostgresError: explain(error, databaseURL)
        case let error as MigrationError:
            error.postgresError.flatMap { Connection.explain($0, databaseURL: databaseURL) }
                .map { "the database: \($0)" } ?? "\(error)"
        case let error as KafkaError: explain(error, nil)
        default: "\(error)"
        }
    }

    /// One line about an error of the Kafka client, by the cause that its connections have told if there is one.
    static func explain(_ error: KafkaError, _ cause: ConnectionDiagnosis?) -> String {
        cause.map { "Kafka: \($0)" } ?? "Kafka: \(error.text) (\(error.name)); see KAFKA_BOOTSTRAP_SERVERS"
    }

    private static func explain(_ error: PostgresError, _ databaseURL: String) -> String {
        if let diagnosis = Connection.explain(error, databaseURL: databaseURL) { return "the database: \(diagnosis)" }
        switch error.sqlState {
        case SQLState.undefinedTable, "3F000", "42703", "42883":
            return "the database has not the schema of this version (\(error)): run vitalstream migrate"
        case SQLState.insufficientPrivilege:
            return "\(error): run it as a role that has this right, such as the owner"
        case SQLState.lockNotAvailable:
            return "\(error): another session holds the ledger row; see pg_blocking_pids, then run it again"
        default:
            return error.kind == .connection ? "the database: \(error.message); see DATABASE_URL" : "\(error)"
        }
    }
}

/// How the commands that end by themselves are run.
enum CommandRun {
    /// Runs the body and turns what it throws into one line on standard error and exit code 1. SIGTERM and SIGINT,
    /// which the program blocks before its first thread, end the process at once: what was open in the database is
    /// rolled back by the server.
    static func run(_ name: String, _ settings: ResolvedSettings, _ body: () throws -> Int32) -> Int32 {
        do {
            _ = try ServiceThread(name: "signals") {
                if let signal = StopSignal.wait() { HostProcess.exit(128 + signal.rawValue) }
            }
            return try body()
        } catch {
            let text = CommandFailure.explain(error, databaseURL: settings.string("DATABASE_URL"))
            Console.writeError("vitalstream \(name): \(text)")
            return 1
        }
    }
}
