import Testing

extension OnAFlowServer {
    /// Late events, one after the other, and what they raise.
    struct OracleRevisionTests {
        private static let revisions = """
            SELECT sector_id, to_char(window_start, 'HH24:MI'), revision FROM ops.expected_revisions('{60}')
            ORDER BY 1, 2
            """

        @Test func `each late event that changes a window that was over raises it by one`() throws {
            let flow = try FlowDatabase(
                """
                a 09:00 arrival ed
                b 10:30 arrival ed
                """)
            #expect(try flow.table(Self.revisions) == [])
            // Left before 10:00, which was over: 9:00 is another. 10:00 was not over.
            try flow.add("a 09:40 departure ed")
            #expect(try flow.table(Self.revisions) == ["ed 09:00 1"])
            // Says nothing about the window that was not known.
            try flow.add("a 09:10 triage ed")
            #expect(try flow.table(Self.revisions) == ["ed 09:00 1"])
            try flow.add("a 09:20 treatment_start ed")
            #expect(try flow.table(Self.revisions) == ["ed 09:00 2"])
            // A window that nobody had heard of.
            try flow.add("c 08:30 triage lab")
            #expect(try flow.table(Self.revisions) == ["ed 09:00 2", "lab 08:00 1"])
            // On time: 10:00 is over now, for b waits on, and the next event counts for it.
            try flow.add("d 11:00 arrival ed")
            #expect(try flow.table(Self.revisions) == ["ed 09:00 2", "lab 08:00 1"])
            try flow.add("b 10:40 departure ed")
            #expect(try flow.table(Self.revisions) == ["ed 09:00 2", "ed 10:00 1", "lab 08:00 1"])
        }

        /// The frontier is 12:00, so 9:00 to 11:00 are over.
        @Test(arguments: [
            ("a 09:30 transfer ed >ward", ["ed 09:00 1", "ed 10:00 1", "ed 11:00 1"], ["09:00", "10:00", "11:00"]),
            ("a 12:10 cancelled ed", ["ed 09:00 1", "ed 10:00 1", "ed 11:00 1"], []),
            ("a 11:50 departure ed", ["ed 11:00 1"], []),
            ("a 12:00 departure ed", [], []),
            ("a 08:50 arrival ed", ["ed 08:00 1", "ed 09:00 1", "ed 10:00 1", "ed 11:00 1"], []),
        ])
        func `an event raises every window it changes`(event: String, ed: [String], ward: [String]) throws {
            let flow = try FlowDatabase("a 09:00 arrival ed\nb 12:00 arrival hall\n" + event)
            #expect(try flow.table(Self.revisions) == ed + ward.map { "ward \($0) 1" })
        }

        @Test func `a treatment on time that takes a leaving unseen back changes what was over`() throws {
            let flow = try FlowDatabase(
                """
                a 09:00 arrival ed
                a 09:30 left_without_being_seen ed
                b 11:10 arrival hall
                a 11:20 treatment_start ed
                """)
            #expect(try flow.table(Self.revisions) == ["ed 09:00 1", "ed 10:00 1"])
        }

        @Test func `leaving unseen makes an earlier departure one of its kind`() throws {
            let flow = try FlowDatabase(
                """
                a 09:00 arrival ed
                a 09:30 departure ed
                b 11:10 arrival hall
                a 11:20 left_without_being_seen ed
                """)
            #expect(try flow.table(Self.revisions) == ["ed 09:00 1"])
        }

        @Test func `a word after 60 days of silence brings a patient back into windows that were over`() throws {
            let flow = try FlowDatabase(
                """
                a 03-02_00:00 arrival ed
                b 05-03_12:00 arrival hall
                a 05-03_13:00 triage ed
                """)
            let days = """
                SELECT sector_id, to_char(window_start, 'MM-DD'), revision FROM ops.expected_revisions('{1440}')
                ORDER BY 2
                """
            #expect(try flow.table(days) == ["ed 05-01 1", "ed 05-02 1"])
        }

        @Test func `only facilities whose order is known are judged`() throws {
            let flow = try FlowDatabase(
                """
                a 09:00 arrival ed
                b 10:30 arrival ed
                a 09:40 departure ed
                south/c 10:00 arrival ed
                """)
            try flow.store(minutes: "{60}")
            try flow.execute("UPDATE gold.occupancy_window SET revision = 9")
            let judged = """
                SELECT DISTINCT facility_id FROM ops.revision_differences('{60}', 'patient-flow') ORDER BY 1
                """
            #expect(try flow.table(judged) == ["north", "south"])
            try flow.execute("UPDATE silver.patient_flow_event SET source_partition = 1 WHERE event = 'departure'")
            #expect(try flow.table(judged) == ["south"])
            try flow.execute(
                """
                INSERT INTO ops.dead_letter_retry (consumer_group, topic, partition, "offset", reason, outcome)
                VALUES ('g', 'patient-flow', 0, 7, 'oversize', 'inserted')
                """)
            #expect(try flow.table(judged) == [])
        }
    }
}
