import FoundationEssentials  // JSON of another reader than ours: `--json` promises to be JSON
import Postgres
import Service
import TestSupport
import Testing

/// What `check --json` prints; a member that is missing is an error.
private struct CheckDocument: Decodable {
    struct Finding: Decodable {
        let verdict: String
        let side: String
        let check: String
        let text: String
        let remedy: String
    }

    struct Setting: Decodable {
        let name: String
        let value: String
        let source: String
    }

    let failed: Int
    let warnings: Int
    let findings: [Finding]
    let settings: [Setting]
}

extension CommandSuite {
    @Suite struct CheckTests {
        /// The lines with a verdict, blanks squeezed: "ok tls text".
        private static func findings(_ run: CommandRun) -> [String] {
            run.output.split(separator: "\n").filter { line in
                ["ok  ", "info", "warn", "FAIL"].contains { line.hasPrefix($0 + "  ") }
            }.map { $0.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ") }
        }

        private static func line(_ beginning: String, _ run: CommandRun) -> String? {
            findings(run).first { $0.hasPrefix(beginning) }
        }

        @Test func `a sound world is shown line by line, and nothing has to be mended`() throws {
            let world = try World.copy()
            let run = try world.run("check")
            #expect(run.code == 0 && run.errors.isEmpty, "\(run.text)")
            #expect(run.output.contains("\n0 failed, "))
            for beginning in [
                "ok librdkafka ", "info tls plaintext: ", "info login none", "ok broker answers; 1 in the cluster: ",
                "ok topic vitals: 2 partitions", "info clock the broker's ", "ok database PostgreSQL ",
                "info tls none: ", "ok clock the server's differs from this machine's by no more than ",
                "warn role postgres is a superuser", "ok schema up to date", "ok rights ",
                "ok partitions made 7 days ahead",
            ] { #expect(Self.line(beginning, run) != nil, "\(beginning) is not in \(run.output)") }
            // How much is free is this machine's affair.
            let disk = try #require(Self.findings(run).first { $0.contains(" disk the database takes up ") })
            #expect(disk.contains("%) are free at \(world.server.directory)/data"), "\(disk)")
            // Whatever is wrong or could be better says what to do.
            for line in Self.findings(run) where line.hasPrefix("warn") { #expect(line.contains(" -> "), "\(line)") }
        }

        @Test func `JSON has the same findings and settings, under members that do not change`() throws {
            let world = try World.copy()
            let shown = try world.run("check")
            let run = try world.run("check --json")
            #expect(run.code == 0 && run.errors.isEmpty)
            #expect(run.output.split(separator: "\n").count == 1)
            let document = try JSONDecoder().decode(CheckDocument.self, from: Data(run.output.utf8))
            #expect(document.failed == 0)
            #expect(document.warnings == document.findings.count { $0.verdict == "warn" } && document.warnings > 0)
            let pairs = document.findings.map { "\($0.verdict) \($0.check)" }
            #expect(pairs == Self.findings(shown).map { $0.split(separator: " ").prefix(2).joined(separator: " ") })
            #expect(Set(document.findings.map(\.side)) == ["broker", "database"])
            #expect(document.findings.filter { $0.verdict == "warn" }.allSatisfy { !$0.remedy.isEmpty })
            let group = document.settings.first { $0.name == "KAFKA_GROUP_ID" }
            #expect(group?.value == world.group && group?.source == "variable KAFKA_GROUP_ID")
        }

        @Test func `JSON says what failed, and the exit code too`() throws {
            let run = try World.copy().run(
                "check --json", ["DATABASE_URL": "host=127.0.0.1 port=1 password=pass-word-9"])
            #expect(run.code == 1)
            let document = try JSONDecoder().decode(CheckDocument.self, from: Data(run.output.utf8))
            let failure = try #require(document.findings.first { $0.verdict == "fail" })
            #expect(document.failed == 1 && failure.side == "database" && failure.check == "database")
            #expect(failure.text == "127.0.0.1:1 does not answer: Connection refused")
            #expect(failure.remedy.hasPrefix("start it"))
            #expect(!run.text.contains("pass-word-9"))
        }

        @Test(arguments: [("+", "ahead of"), ("-", "behind")]) func `a server's clock that is wrong is told`(
            sign: String, word: String
        ) throws {
            let world = try World.copy()
            // Found before the real one by whoever puts this schema first.
            try world.execute(
                """
                CREATE SCHEMA skewed;
                CREATE FUNCTION skewed.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS
                    $$ SELECT pg_catalog.clock_timestamp() \(sign) interval '90 seconds' $$
                """)
            let url = world.server.connectionURL(database: world.database)
            let run = try world.run("check", ["DATABASE_URL": url + "&options=-csearch_path%3Dskewed,pg_catalog"])
            let line = try #require(Self.line("warn clock the server's is at least ", run), "\(run.text)")
            #expect(line.contains(" s \(word) this machine's -> let both machines take their time from"), "\(line)")
            let seconds = line.split(separator: " ").compactMap { Int($0) }.first ?? 0
            #expect((80...90).contains(seconds), "\(line)")
            #expect(run.code == 0)
        }

        @Test func `a member of vitalstream_service is enough, and one that is nothing is told what it lacks`() throws {
            let world = try World.copy()
            let suffix = UUIDBytes.random().text.prefix(8)
            try world.execute(
                """
                CREATE ROLE service_\(suffix) LOGIN IN ROLE vitalstream_service; CREATE ROLE nobody_\(suffix) LOGIN;
                GRANT USAGE ON SCHEMA ops TO nobody_\(suffix);
                GRANT SELECT ON ops.schema_migration TO nobody_\(suffix)
                """)
            let url = world.server.connectionURL(database: world.database)
            func check(_ role: String) throws -> CommandRun {
                try world.run("check", ["DATABASE_URL": url.replacing("//postgres@", with: "//\(role)@")])
            }
            let service = try check("service_\(suffix)")
            #expect(service.code == 0, "\(service.text)")
            #expect(Self.line("ok role service_\(suffix), a member of vitalstream_service", service) != nil)
            #expect(Self.line("ok rights ", service) != nil && Self.line("ok partitions ", service) != nil)
            // Only roles that may see the server's settings know where its data are.
            let disk = Self.line("info disk the database takes up ", service)
            #expect(disk?.hasSuffix("this role may not see where its data are") == true, "\(service.text)")
            let nobody = try check("nobody_\(suffix)")
            #expect(nobody.code == 1)
            #expect(Self.line("info role nobody_\(suffix), a member of none", nobody) != nil)
            let rights = try #require(Self.line("FAIL rights missing: ", nobody), "\(nobody.text)")
            #expect(rights.contains("-> GRANT vitalstream_service TO this role"))
        }

        @Test func `a partition that is missing ahead, and a schema that nobody will make, are told`() throws {
            let world = try World.copy()
            let name = try world.value(
                "SELECT 'vital_reading_' || to_char(now() AT TIME ZONE 'UTC' + interval '3 days', 'YYYYMMDD')")
            try world.execute("DROP TABLE silver.\(name)")
            let run = try world.run("check")
            #expect(run.code == 0)
            #expect(Self.line("warn partitions 1 of the next 8 daily partitions are missing -> ", run) != nil)
            let empty = world.database + "_empty"
            try world.server.createDatabase(empty)
            let bare = try world.run(
                "check", ["DATABASE_URL": world.server.connectionURL(database: empty), "MIGRATE": "off"])
            #expect(bare.code == 1)
            let schema = Self.line("FAIL schema not applied yet: 1 foundation", bare)
            #expect(schema?.hasSuffix("-> run vitalstream migrate") == true, "\(bare.text)")
        }

        @Test func `a way over the network without protection is warned of, with password and without`() throws {
            // A name that the domain name system keeps free for such uses (RFC 2606): nobody is asked anything.
            let open = [
                "KAFKA_BOOTSTRAP_SERVERS": "broker.invalid:9092", "KAFKA_CONFIG_SECURITY_PROTOCOL": "sasl_plaintext",
                "KAFKA_CONFIG_SASL_MECHANISM": "PLAIN", "KAFKA_CONFIG_SASL_USERNAME": "ward",
                "KAFKA_CONFIG_SASL_PASSWORD": "pass-word-9",
            ]
            let run = try World.copy().run("check", open)
            #expect(run.code == 1)
            let tls = Self.line("warn tls sasl_plaintext: what the broker sends can be read", run)
            #expect(tls?.contains("KAFKA_CONFIG_SECURITY_PROTOCOL=sasl_ssl") == true, "\(run.text)")
            #expect(Self.line("warn login PLAIN without TLS: the password can be read", run) != nil, "\(run.text)")
            #expect(Self.line("FAIL broker ", run)?.contains(" -> ") == true)
            #expect(!run.text.contains("pass-word-9"))
            let blind = try World.copy().run(
                "check",
                [
                    "KAFKA_BOOTSTRAP_SERVERS": "broker.invalid:9092", "KAFKA_CONFIG_SECURITY_PROTOCOL": "ssl",
                    "KAFKA_CONFIG_ENABLE_SSL_CERTIFICATE_VERIFICATION": "false",
                ])
            #expect(Self.line("warn tls ssl, but anybody can pose as the broker", blind) != nil, "\(blind.text)")
        }
    }
}
