import Kafka
import Testing

/// The same on Apache Kafka; skipped unless KAFKA_HOME names it.
@Suite(.serialized, .enabled(if: RealBroker.isAvailable, "KAFKA_HOME is not set"), .realBroker)
struct RealGroupTests {
    private func scenario(_ topic: String, _ body: (GroupScenarios) throws -> Void) throws {
        var admin = try Admin(properties: [("bootstrap.servers", RealBroker.bootstrapServers)])
        try admin.createTopic(topic, partitions: 4)
        try body(GroupScenarios(bootstrapServers: RealBroker.bootstrapServers, topic: topic))
    }

    @Test func `two members share a topic and take over from the store's offsets`() throws {
        try scenario("shared") { try $0.twoMembersShareAndTakeOver() }
    }

    @Test func `a member that gets its offsets late stays in the group`() throws {
        try scenario("late") { try $0.offsetsMayComeLate() }
    }

    @Test func `an assignment in the steady state starts exactly where it says`() throws {
        try scenario("steady") { try $0.steadyStateReassignment() }
    }

    @Test func `an offset beyond the log is told and can be mended`() throws {
        try scenario("beyond") { try $0.offsetOutOfRange() }
    }

    @Test func `a topic that appears later is told, awaited and read`() throws {
        try scenario("early") { scenarios in
            try scenarios.topicAppearsLater(named: "appears-later", partitions: 2) {
                var admin = try Admin(properties: [("bootstrap.servers", RealBroker.bootstrapServers)])
                try admin.createTopic("appears-later", partitions: 2)
            }
        }
    }

    @Test func `a member that falls silent is expelled and comes back`() throws {
        try scenario("silent") { try $0.silentMemberIsExpelledAndReturns() }
    }

    @Test func `a member that falls silent while another joins is passed over and comes back`() throws {
        try scenario("passed-over") { try $0.silentMemberIsPassedOver() }
    }

    @Test(arguments: [1, 2] as [UInt64])
    func `members that come and go at random lose and double nothing`(seed: UInt64) throws {
        try scenario("random-\(seed)") { try $0.membersComeAndGo(seed: seed, rounds: 12) }
    }
}
