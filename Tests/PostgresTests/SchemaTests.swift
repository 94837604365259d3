import Postgres
import Schema
import Service
import Testing

struct EmbeddedSchemaTests {
    @Test func `the embedded migrations are the files of the directory, numbered without a hole`() throws {
        let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
        let directory = root + "/sql/migrations"
        let files = try FileSystem.entries(of: directory).filter { $0.hasSuffix(".sql") }
        #expect(Schema.migrations.map(fileName) == files)
        #expect(Schema.migrations.map(\.number) == Array(1...files.count))
        for migration in Schema.migrations {
            #expect(try FileSystem.readText("\(directory)/\(fileName(migration))") == migration.sql)
        }
    }

    private func fileName(_ migration: Schema.Migration) -> String {
        let digits = "\(migration.number)"
        return String(repeating: "0", count: 3 - digits.count) + "\(digits)_\(migration.name).sql"
    }
}

extension OnAServer {
    struct SchemaTests {
        @Test func `dropping four schemas and the view leaves nothing behind`() throws {
            var connection = try TestDatabase.migrated().open()
            _ = try connection.value("SELECT silver.make_partitions('2026-01-01', '2026-01-03')")
            try connection.execute("DROP VIEW public.health_records; DROP SCHEMA bronze, silver, gold, ops CASCADE")
            let left = """
                SELECT (SELECT count(*) FROM pg_class WHERE oid >= 16384)
                    + (SELECT count(*) FROM pg_proc WHERE oid >= 16384)
                    + (SELECT count(*) FROM pg_type WHERE oid >= 16384)
                    + (SELECT count(*) FROM pg_namespace WHERE oid >= 16384)
                """
            #expect(try connection.value(left) == "0")
        }

        @Test func `the columns of a reading stand in the documented order`() throws {
            var connection = try TestDatabase.migrated().open()
            let columns = try connection.value(
                """
                SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute
                WHERE attrelid = 'silver.vital_reading'::regclass AND attnum > 0
                """)
            #expect(
                columns == "patient_id recorded_at heart_rate temperature oxygen_saturation respiratory_rate "
                    + "systolic_pressure diastolic_pressure consciousness supplemental_oxygen suspect "
                    + "source_partition source_offset origin_id")
        }

        @Test func `an origin is one row, absent names included`() throws {
            var connection = try TestDatabase.migrated().open()
            let upsert = """
                INSERT INTO silver.origin (facility_id, sector_id, device_id) VALUES ('f', NULL, 'd')
                ON CONFLICT (facility_id, sector_id, device_id) DO NOTHING
                """
            try connection.execute(upsert)
            try connection.execute(upsert)
            #expect(try connection.value("SELECT count(*) FROM silver.origin") == "1")
            #expect(try connection.value("SELECT min(origin_id) FROM silver.origin") == "1")
        }

        @Test func `a facility's time zone must be one that the server knows`() throws {
            var connection = try TestDatabase.migrated().open()
            try connection.execute("INSERT INTO silver.facility VALUES ('a', DEFAULT), ('b', 'America/Montreal')")
            #expect(try connection.value("SELECT time_zone FROM silver.facility WHERE facility_id = 'a'") == "UTC")
            #expect(throws: PostgresError.self) {
                try connection.execute("INSERT INTO silver.facility VALUES ('c', 'Mars/Olympus')")
            }
        }
    }
}
