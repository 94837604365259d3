import Postgres
import Service
import Testing

extension OnAWard {
    /// What holds for every file of sql/analytics.
    struct FilesTests {
        @Test func `every file is known here, has a test of its answer, and stands in the README and the menu`() throws
        {
            let files = try FileSystem.entries(of: Repository.root + "/sql/analytics")
            #expect(files.sorted() == Question.allCases.map { "\($0.rawValue).sql" }.sorted())
            #expect(files.count >= 15)
            let tests = try FileSystem.entries(of: Repository.root + "/Tests/AnalyticsTests").filter {
                $0.hasSuffix("Tests.swift") && $0 != "FilesTests.swift"
            }
            let asked = try tests.map { try FileSystem.readText("\(Repository.root)/Tests/AnalyticsTests/\($0)") }
                .joined()
            let page = try FileSystem.readText(Repository.root + "/sql/README.md")
            let menu = try FileSystem.readText(Repository.root + "/sql/psql/menu.sql")
            for question in Question.allCases {
                let isAsked = asked.contains("ask(.\(question),") || asked.contains("ask(.\(question))")
                #expect(
                    isAsked || asked.contains("ask(\n                .\(question),")
                        || asked.contains("Question.\(question).path"))
                #expect(
                    page.contains("](analytics/\(question.rawValue).sql)"), "sql/README.md does not list \(question)")
                #expect(menu.contains(":\(question.rawValue)"), "the menu does not list \(question)")
            }
        }

        @Test(arguments: Question.allCases)
        func `a file names its parameters at its head and reads no payload`(question: Question) throws {
            let lines = try FileSystem.readText(question.path).split(separator: "\n").map(String.init)
            let head = lines.prefix { $0.hasPrefix("--") }
            let code = lines.filter { !$0.trimmed.hasPrefix("--") }
            #expect(head.count >= 3)
            #expect(!code.contains { $0.contains("payload") || $0.contains("headers") })
            #expect(code.last == "\\ir ../psql/end.sql")
            for line in code where line.hasPrefix("\\if :{?") {
                let name = String(line.dropFirst(7).prefix { $0 != "}" })
                #expect(head.contains { $0.hasPrefix("--   \(name) ") }, "\(name) is not explained")
            }
        }

        @Test(arguments: Question.allCases)
        func `without any data there is one line that says why, from any directory`(question: Question) throws {
            let server = try #require(WardServer.current)
            let answer = try Psql.run(
                server.emptyURL, file: "../analytics/\(question.rawValue).sql",
                directory: Repository.root + "/sql/psql")
            #expect(answer.errors == "")
            #expect(answer.status == .exited(0))
            if question == .ledger {
                #expect(answer.column("verdict") == ["ok", "ok", "ok"])
                let books = try Psql.run(server.emptyURL, file: question.path, ["rows": "off"])
                #expect(books.reason?.hasPrefix("No group has taken a partition over yet") == true)
                return
            }
            let reason = try #require(answer.reason)
            #expect(reason.hasSuffix("."))
            #expect(!reason.contains("|"))
        }

        @Test func `a time without readings names the newest day that has some`() throws {
            let answer = try Psql.ask(.hourlyMeans, ["until": "2020-02-19 00:00Z", "hours": "3"])
            #expect(
                answer.lines == [
                    "Hourly means of all patients, 2020-02-18 21:00:00 to 2020-02-19 00:00:00 UTC",
                    "No readings from 2020-02-18 21:00:00 to 2020-02-19 00:00:00 UTC; "
                        + "the newest day with any is 2020-03-01: -v until=2020-03-02.",
                ])
        }

        @Test func `a question that nothing answers says so, and so does an unknown patient`() throws {
            #expect(
                try Psql.ask(.sustainedFever, ["at_least": "45"]).reason
                    == "Nobody stayed at or above 45 for 60 minutes, 2020-03-01 06:00:00 to 2020-03-01 12:00:00 UTC.")
            let nobody = "00000000-0000-0000-0000-000000000001"
            for question in [Question.patientReadings, .hourlyMeans, .dailyMeans, .seriesGaps, .rateOfChange, .news2] {
                let reason = try #require(try Psql.ask(question, ["patient": nobody]).reason)
                #expect(reason.contains(nobody), "\(question): \(reason)")
            }
        }

        @Test(arguments: Question.allCases)
        func `a file leaves a session as it was`(question: Question) throws {
            let server = try #require(WardServer.current)
            let input = """
                \\set until '2020-03-01 12:00Z'
                \\i \(question.path)
                \\echo state :QUIET :ON_ERROR_STOP :until :{?hours}
                SHOW TimeZone; SHOW transaction_read_only;
                SELECT count(*) FROM pg_cursors;
                """
            let answer = try Psql.start("psql", ["-X", "-d", server.wardURL, "-t"], input: input) {
                $0["PGTZ"] = "Asia/Tokyo"
            }
            #expect(answer.errors == "")
            #expect(
                Array(answer.lines.suffix(4)) == ["state off off 2020-03-01 12:00Z FALSE", "Asia/Tokyo", "off", "0"])
        }

        @Test(arguments: [
            (Question.patientReadings, "patient"), (.hourlyMeans, "hours"), (.hourlyMeans, "zone"),
            (.hourlyMeans, "until"),
            (.dailyMeans, "days"), (.lastReadings, "rows"), (.rateOfChange, "vital"), (.rateOfChange, "seconds"),
            (.seriesGaps, "minutes"), (.sustainedFever, "at_least"), (.sustainedFever, "gap_minutes"),
            (.news2, "spo2_scale"), (.pulsePressureShockIndex, "shock_index"), (.ledger, "rows"),
        ])
        func `a value that is none is refused by the server, and is never run`(question: Question, name: String) throws
        {
            let server = try #require(WardServer.current)
            let evil = "1'); SELECT 'evil'; --\"; SELECT 'evil'; --"
            let answer = try Psql.run(server.wardURL, file: question.path, [name: evil])
            #expect(answer.status == .exited(3))
            #expect(!answer.lines.contains("evil"))
            let errors = answer.errors.split(separator: "\n").filter { $0.contains("ERROR:") }
            // After a refused time zone the next statement says that the transaction is over.
            #expect(errors.count == (name == "zone" ? 2 : 1), "\(answer.errors)")
            #expect(errors.first?.contains("transaction is aborted") == false)
        }

        @Test func `texts that are compared may hold anything`() throws {
            let evil = "'; SELECT 'evil'; --"
            #expect(try Psql.ask(.deadLetters, ["topic": evil]).reason?.hasPrefix("No dead letters") == true)
            #expect(try Psql.ask(.lag, ["group": evil]).reason == "The ledger knows no group \(evil).")
            #expect(try Psql.ask(.ledger, ["patient_flow_topic": evil]).rows.count == 23)
        }

        @Test(arguments: Question.allCases)
        func `an analyst's role is enough`(question: Question) throws {
            let server = try #require(WardServer.current)
            let variables = ["until": "2020-03-01 12:00Z"]
            let asAnalyst = try Psql.run(
                server.wardURL, file: question.path, variables, options: "-c role=vitalstream_analyst")
            #expect(asAnalyst.errors == "")
            #expect(asAnalyst.status == .exited(0))
            if question != .lag {
                #expect(asAnalyst.lines == (try Psql.run(server.wardURL, file: question.path, variables).lines))
            }
        }

        /// A few thousand rows are read faster without an index, so that is forbidden here; whether the condition is
        /// the index's own expression shows all the same.
        @Test(arguments: [
            Question.corrections, .facilityVolume, .hourlyMeans, .lateArrivals, .news2, .pulsePressureShockIndex,
            .rateOfChange, .suspectValues, .sustainedFever, .sustainedLowSaturation, .lastHourAverages,
        ])
        func `hours of all patients are found through the index of the milliseconds`(question: Question) throws {
            let plan = try plan(question)
            if question == .corrections {
                #expect(plan.contains("Index Scan using vital_reading_20200301_pkey"), "\(plan)")
            } else {
                #expect(plan.contains("Bitmap Index Scan on vital_reading_20200301_numeric_idx"), "\(plan)")
            }
        }

        @Test(arguments: [
            Question.lastReadings, .silentPatients, .patientReadings, .dailyMeans, .seriesGaps, .sustainedFever,
        ])
        func `patients are found through the primary key, of the days asked for alone`(question: Question) throws {
            let plan = try plan(question)
            #expect(plan.contains("vital_reading_20200301_pkey"), "\(plan)")
            #expect(!plan.contains("vital_reading_20200218"), "\(plan)")
            #expect(!plan.contains("vital_reading_default"), "\(plan)")
        }

        private func plan(_ question: Question) throws -> String {
            let server = try #require(WardServer.current)
            let answer = try Psql.run(
                server.wardURL, file: question.path, ["until": "2020-03-01 12:00Z", "hours": "10", "explain": "on"],
                options: "-c enable_seqscan=off")
            #expect(answer.errors == "")
            #expect(answer.lines.contains { $0.contains("Execution Time") })
            return answer.lines.joined(separator: "\n")
        }
    }
}

extension String {
    /// Without the blanks in front.
    var trimmed: Substring { drop { $0 == " " } }
}
