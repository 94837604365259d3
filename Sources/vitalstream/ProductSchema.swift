internal import Postgres
internal import Schema

/// The embedded migrations, as the migrator takes them.
enum ProductSchema {
    /// The newest migration, which lanes need.
    static var newest: Int { Schema.migrations.map(\.number).max() ?? 0 }

    /// Brings a database up to date.
    static var migrator: Migrator {
        Migrator(Schema.migrations.map { Migration(number: $0.number, name: $0.name, sql: $0.sql) })
    }
}
