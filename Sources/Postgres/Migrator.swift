/// One numbered step of a schema.
public struct Migration: Sendable {
    /// Order of application, from 1 on.
    public let number: Int
    /// What the file is called.
    public let name: String
    /// One or more statements; must not contain BEGIN or COMMIT.
    public let sql: String

    /// A step as the embedded file has it.
    public init(number: Int, name: String, sql: String) {
        self.number = number
        self.name = name
        self.sql = sql
    }

    /// FNV-1a of the SQL text, 64 bits, as 16 hexadecimal digits: notices an edited file, resists no forger.
    public var checksum: String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in sql.utf8 {
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
        }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}

/// Why a schema could not be brought up to date.
public enum MigrationError: Error, Sendable, CustomStringConvertible {
    /// The database was migrated from another text of this number: someone edited a released file.
    case checksumMismatch(number: Int, name: String)
    /// The database is ahead of this program.
    case unknownMigration(number: Int, name: String)
    /// A step failed and was rolled back; those before it stay.
    case failed(number: Int, name: String, PostgresError)
    /// The database could not be asked.
    case database(PostgresError)

    /// One line that says what to do.
    public var description: String {
        switch self {
        case .checksumMismatch(let number, let name):
            "migration \(number) (\(name)) was applied from another text than this program has: use the program that "
                + "made this database, or restore the file and add a new number"
        case .unknownMigration(let number, let name):
            "the database has migration \(number) (\(name)), which this program does not know: use a newer program"
        case .failed(let number, let name, let error):
            "migration \(number) (\(name)) failed and was rolled back: \(error)"
        case .database(let error): "\(error)"
        }
    }

    /// The error of PostgreSQL behind it, if there is one.
    public var postgresError: PostgresError? {
        switch self {
        case .failed(_, _, let error), .database(let error): error
        case .checksumMismatch, .unknownMigration: nil
        }
    }
}

/// Brings a database's schema up to date, each migration in a transaction of its own, one program at a time.
///
/// Once the schema `ops` exists, migrations run as its owner, whoever migrates: so all objects have one owner.
public struct Migrator: Sendable {
    private let migrations: [Migration]

    /// Takes the migrations in any order; numbers must be unique.
    public init(_ migrations: [Migration]) {
        self.migrations = migrations.sorted { $0.number < $1.number }
        for (earlier, later) in zip(self.migrations, self.migrations.dropFirst()) {
            precondition(earlier.number != later.number, "two migrations have one number")
        }
    }

    /// Which migrations the database still lacks. Only reads, and needs no right to create anything.
    ///
    /// - Throws: `.checksumMismatch` or `.unknownMigration` when the database is not one of ours as we know it.
    public func pending(_ connection: inout Connection) throws(MigrationError) -> [Migration] {
        let applied: [Int: Applied]
        do throws(PostgresError) { applied = try Self.applied(&connection) } catch { throw .database(error) }
        let known = Dictionary(uniqueKeysWithValues: migrations.map { ($0.number, $0) })
        for (number, row) in applied.sorted(by: { $0.key < $1.key }) {
            guard let migration = known[number] else { throw .unknownMigration(number: number, name: row.name) }
            if migration.checksum != row.checksum { throw .checksumMismatch(number: number, name: migration.name) }
        }
        return migrations.filter { applied[$0.number] == nil }
    }

    /// Applies what is missing, in order, and returns it. With nothing missing it only reads.
    ///
    /// Waits for another migrating program (advisory lock), then looks again. Uses the connection's blocking calls.
    public func migrate(_ connection: inout Connection) throws(MigrationError) -> [Migration] {
        if try pending(&connection).isEmpty { return [] }
        do throws(PostgresError) {
            // A lock of the session, since each migration commits by itself. lock_timeout does not fit a wait for
            // another program's whole migration; the blocking calls' own limit holds.
            try connection.execute("SET lock_timeout = 0; SELECT pg_advisory_lock(\(Self.lockKey))")
        } catch { throw .database(error) }
        let outcome: Result<[Migration], MigrationError>
        do throws(MigrationError) { outcome = .success(try applyAll(&connection)) } catch { outcome = .failure(error) }
        do throws(PostgresError) {
            try connection.execute("SELECT pg_advisory_unlock(\(Self.lockKey)); \(Connection.commandDefaults)")
        } catch {
            // The first error says more; a broken session has lost its lock by itself.
            if case .success = outcome { throw .database(error) }
        }
        return try outcome.get()
    }

    private func applyAll(_ connection: inout Connection) throws(MigrationError) -> [Migration] {
        let missing = try pending(&connection)
        for migration in missing {
            do throws(PostgresError) { try Self.apply(migration, &connection) } catch {
                if !connection.isBroken, connection.isIdle {
                    do throws(PostgresError) { try connection.execute("ROLLBACK") } catch { throw .database(error) }
                }
                throw .failed(number: migration.number, name: migration.name, error)
            }
        }
        return missing
    }

    private static func apply(_ migration: Migration, _ connection: inout Connection) throws(PostgresError) {
        try connection.execute("BEGIN")
        try becomeOwner(&connection)
        try connection.execute(createTable)
        try connection.execute(migration.sql)
        _ = try connection.query(
            "INSERT INTO ops.schema_migration (number, name, checksum) VALUES ($1::integer, $2, $3)",
            [String(migration.number), migration.name, migration.checksum])
        try connection.execute("COMMIT")
    }

    /// Makes the schema `ops`, or takes on its owner's role until the transaction ends.
    private static func becomeOwner(_ connection: inout Connection) throws(PostgresError) {
        let found = try connection.query(
            """
            SELECT owner, quote_ident(owner), pg_has_role(owner, 'MEMBER') \
            FROM (SELECT pg_get_userbyid(nspowner) AS owner FROM pg_namespace WHERE nspname = 'ops') AS o
            """)
        guard found.rowCount > 0 else { return try connection.execute("CREATE SCHEMA ops") }
        guard found.boolean(0, 2) else {
            let owner = found.text(0, 0)
            throw PostgresError(
                .server(.insufficientPrivilege),
                "the schema belongs to \(owner), of which this user is no member: migrate as one, or let a superuser "
                    + "GRANT \(owner) to it")
        }
        try connection.execute("SET LOCAL ROLE \(found.text(0, 1))")
    }

    private static func applied(_ connection: inout Connection) throws(PostgresError) -> [Int: Applied] {
        let table = try connection.query("SELECT to_regclass('ops.schema_migration') IS NOT NULL")
        guard table.boolean(0, 0) else { return [:] }
        let rows = try connection.query("SELECT number, name, checksum FROM ops.schema_migration")
        var applied: [Int: Applied] = [:]
        for row in 0..<rows.rowCount {
            applied[Int(rows.int64(row, 0))] = Applied(name: rows.text(row, 1), checksum: rows.text(row, 2))
        }
        return applied
    }

    private struct Applied {
        let name: String
        let checksum: String
    }

    private static let createTable = """
        CREATE TABLE IF NOT EXISTS ops.schema_migration (
            number     integer     PRIMARY KEY,
            name       text        NOT NULL,
            checksum   text        NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT now()
        )
        """

    /// "vitalstr" in ASCII: any constant serves, as long as all programs have the same.
    private static let lockKey: Int64 = 0x7669_7461_6c73_7472
}
