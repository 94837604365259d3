/// The database schema as numbered migrations, embedded in the program from `sql/migrations`.
public enum Schema {
    /// One file of `sql/migrations`.
    public struct Migration: Sendable, Equatable {
        /// The number in front of the file's name, from 1 on.
        public let number: Int
        /// The rest of the file's name, without `.sql`.
        public let name: String
        /// The file's text.
        public let sql: String
    }

    /// Name of the database unless the user says otherwise.
    public static let defaultDatabase = "health_db"

    /// All migrations by number. A test compares this list with the directory.
    ///
    /// The package manager's names for the embedded files replace a leading digit by an underscore.
    public static let migrations: [Migration] = [
        migration(1, "foundation", PackageResources._01_foundation_sql),
        migration(2, "roles", PackageResources._02_roles_sql),
        migration(3, "life_of_data", PackageResources._03_life_of_data_sql),
        migration(4, "patient_flow", PackageResources._04_patient_flow_sql),
        migration(5, "flow_oracle", PackageResources._05_flow_oracle_sql),
        migration(6, "flow_differences", PackageResources._06_flow_differences_sql),
        migration(7, "flow_views", PackageResources._07_flow_views_sql),
        migration(8, "prediction_views", PackageResources._08_prediction_views_sql),
    ]

    private static func migration(_ number: Int, _ name: String, _ bytes: [UInt8]) -> Migration {
        Migration(number: number, name: name, sql: String(decoding: bytes, as: UTF8.self))
    }
}
