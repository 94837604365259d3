import Postgres
import Service
import Testing

extension OnAWard {
    /// sql/psql/psqlrc, its menu and board, and tools/psql, which opens them.
    struct StartFileTests {
        private let tool = Repository.root + "/tools/psql"

        @Test(arguments: Question.allCases)
        func `each query is a word of the menu`(question: Question) throws {
            let server = try #require(WardServer.current)
            let answer = try typed("\\set until '2020-03-01 12:00Z'\n:\(question.rawValue)\n") {
                $0["DATABASE_URL"] = server.wardURL
            }
            #expect(answer.errors == "")
            let asked = try Psql.run(
                server.wardURL, file: question.path, ["until": "2020-03-01 12:00Z"])
            // The session shows an absent value as a dash; the clock of lag goes on.
            let start = try #require(answer.lines.firstIndex(of: asked.title))
            #expect(answer.lines.count - start == asked.lines.count)
        }

        @Test func `the menu is shown at the start and again`() throws {
            let server = try #require(WardServer.current)
            let answer = try typed(":menu\n") { $0["DATABASE_URL"] = server.wardURL }
            #expect(answer.lines.filter { $0 == "VitalStream. Type a name with its colon:" }.count == 2)
            #expect(answer.errors == "")
        }

        @Test func `the board is a query for watch`() throws {
            let server = try #require(WardServer.current)
            let answer = try typed(":board;\n\\q\n") { $0["DATABASE_URL"] = server.wardURL }
            let header = try #require(answer.lines.firstIndex { $0.hasPrefix("at|readings_last_minute|patients|") })
            let row = answer.lines[header + 1].split(separator: "|").map(String.init)
            let books = server.ward.progress
            #expect(Array(row[1...4]) == ["0", "0", "-", "-"])
            #expect(row[6] == "\(books.reduce(0) { $0 + $1.consumed })")
            #expect(row[8] == "\(books.reduce(0) { $0 + $1.classes[3] })")
            #expect(answer.errors == "")
        }

        @Test func `a parameter that is set holds for every query of the session, a default for none`() throws {
            let server = try #require(WardServer.current)
            let input = """
                \\set until '2020-03-01 12:00Z'
                :last_readings
                :hourly_means
                \\set hours 2
                :hourly_means
                """
            let titles = try typed(input) { $0["DATABASE_URL"] = server.wardURL }.lines.filter {
                $0.contains(" to 2020-03-01 12")
            }
            #expect(
                titles.map { $0.split(separator: ", ")[1] } == [
                    "2020-02-29 12:00:00 to 2020-03-01 12:00:00 UTC", "2020-03-01 06:00:00 to 2020-03-01 12:00:00 UTC",
                    "2020-03-01 10:00:00 to 2020-03-01 12:00:00 UTC",
                ])
        }

        @Test func `the libpq variables name the server, health_db the database`() throws {
            let server = try #require(WardServer.current)
            let parts = server.server.psqlCommand().split(separator: " ").map(String.init)
            let answer = try database { ($0["PGHOST"], $0["PGUSER"]) = (parts[2], "postgres") }
            #expect(answer.lines.last == "health_db postgres")
            let other = try database {
                ($0["PGHOST"], $0["PGUSER"], $0["PGDATABASE"]) = (parts[2], "postgres", "empty_db")
            }
            #expect(other.lines.last == "empty_db postgres")
        }

        @Test func `the demo's database is found while it runs`() throws {
            let server = try #require(WardServer.current)
            let directory = try FileSystem.makeTemporaryDirectory(prefix: "vitalstream-analytics")
            defer { #expect(throws: Never.self) { try FileSystem.removeTree(directory) } }
            try FileSystem.writeText(directory + "/elsewhere", server.server.directory + "\n")
            let answer = try database { $0["DEMO_DIRECTORY"] = directory }
            #expect(answer.lines.last == "health_db postgres")
            #expect(answer.errors == "psql: the demo's database\n")
        }

        @Test func `a demo that has ended is not found, and nothing else either`() throws {
            let directory = try FileSystem.makeTemporaryDirectory(prefix: "vitalstream-analytics")
            defer { #expect(throws: Never.self) { try FileSystem.removeTree(directory) } }
            try FileSystem.makeDirectory(directory + "/postgres/data")
            try FileSystem.writeText(
                directory + "/postgres/data/postmaster.pid", "999999999\n/nowhere\n1\n5432\n\(directory)\n\n")
            // Port 1 is nobody's.
            let answer = try database { ($0["DEMO_DIRECTORY"], $0["POSTGRES_PORT"]) = (directory, "1") }
            #expect(answer.status == .exited(1))
            #expect(
                answer.errors
                    == "psql: no database: start one with make demo or docker compose up, or set DATABASE_URL\n")
        }

        @Test func `a password of the URI does not stand among psql's arguments`() throws {
            let directory = try FileSystem.makeTemporaryDirectory(prefix: "vitalstream-analytics")
            defer { #expect(throws: Never.self) { try FileSystem.removeTree(directory) } }
            let fake = """
                #!/bin/sh
                printf '%s|%s\\n' "$1" "$PGPASSWORD"
                """
            try FileSystem.writeText(directory + "/psql", fake + "\n")
            _ = try ChildProcess.run("chmod", ["755", directory + "/psql"], within: .seconds(5))
            let answer = try database {
                $0["PATH"] = directory + ":" + ($0["PATH"] ?? "")
                $0["DATABASE_URL"] = "postgresql://nurse:p%40ss%2F1\\n@db:5433/health_db?sslmode=disable"
            }
            #expect(answer.lines == ["postgresql://nurse@db:5433/health_db?sslmode=disable|p@ss/1\\n"])
        }

        private func typed(_ input: String, environment: (inout [String: String]) -> Void) throws -> Answer {
            try Psql.start(tool, [], input: input, environment: environment)
        }

        private func database(environment: (inout [String: String]) -> Void) throws -> Answer {
            try Psql.start(
                tool, ["-t", "-F", " ", "-c", "SELECT current_database() || ' ' || current_user"],
                environment: environment)
        }
    }
}
