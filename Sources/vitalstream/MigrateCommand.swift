internal import Postgres
internal import Service

/// `vitalstream migrate`.
enum MigrateCommand {
    static func run(_ settings: ResolvedSettings) -> Int32 {
        do {
            var connection = try Connection.open(
                settings.string("DATABASE_URL"), applicationName: "vitalstream migrate")
            let applied = try ProductSchema.migrator.migrate(&connection)
            for migration in applied { Console.writeLine("applied \(migration.number) \(migration.name)") }
            if applied.isEmpty { Console.writeLine("nothing to do: the schema is at \(ProductSchema.newest)") }
            return 0
        } catch {
            let text = CommandFailure.explain(error, databaseURL: settings.string("DATABASE_URL"))
            Console.writeError("vitalstream migrate: \(text)")
            return 1
        }
    }
}
