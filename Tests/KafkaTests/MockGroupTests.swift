import Kafka
import Testing

/// The group's behaviour on the embedded broker, whose groups take 3 s to form.
@Suite(.serialized) struct MockGroupTests {
    private func scenario(_ body: (GroupScenarios, borrowing MockCluster) throws -> Void) throws {
        let cluster = try MockCluster()
        try cluster.createTopic("vitals", partitions: 4)
        try body(GroupScenarios(bootstrapServers: cluster.bootstrapServers, topic: "vitals"), cluster)
    }

    @Test func `two members share a topic and take over from the store's offsets`() throws {
        try scenario { scenarios, _ in try scenarios.twoMembersShareAndTakeOver() }
    }

    @Test func `a member that gets its offsets late stays in the group`() throws {
        try scenario { scenarios, _ in try scenarios.offsetsMayComeLate() }
    }

    @Test func `an assignment in the steady state starts exactly where it says`() throws {
        try scenario { scenarios, _ in try scenarios.steadyStateReassignment() }
    }

    @Test func `an offset beyond the log is told and can be mended`() throws {
        try scenario { scenarios, _ in try scenarios.offsetOutOfRange() }
    }

    @Test func `a topic that appears later is told, awaited and read`() throws {
        try scenario { scenarios, cluster in
            // The mock makes what is asked for at once, so absence is an error of a topic with its 4 partitions.
            cluster.setTopic("patient-flow", error: 3)
            try scenarios.topicAppearsLater(named: "patient-flow", partitions: 4) {
                cluster.setTopic("patient-flow", error: 0)
            }
        }
    }
}
