import API
import Testing

/// A healthy lane, changed where a test says so.
func lane(_ name: String = "lane-0", _ change: (inout LaneHealth) -> Void = { _ in }) -> LaneHealth {
    var lane = LaneHealth(
        name: name, lastTurnAgeMilliseconds: 5, membership: .joined, database: .writable,
        partitions: [PartitionHealth(topic: "vitals", partition: 3, lag: 12, state: .running)])
    change(&lane)
    return lane
}

struct HealthJudgementTests {
    private func notReady(_ change: (inout LaneHealth) -> Void) -> [String] {
        HealthJudgement.reasonsNotReady(ServiceHealth(lanes: [lane("lane-0", change), lane("lane-1")]))
    }

    @Test func `a service that does its work is ready`() {
        #expect(notReady { _ in } == [])
    }

    @Test func `without a lane it is alive and not ready`() {
        #expect(HealthJudgement.reasonsNotReady(ServiceHealth(lanes: [])) == ["no lane runs yet"])
        #expect(HealthJudgement.reasonsNotAlive(ServiceHealth(lanes: []), staleMilliseconds: 1) == [])
    }

    @Test func `a lane outside its group is not ready`() {
        #expect(notReady { $0.membership = .joining } == ["lane-0: not yet assigned by the consumer group"])
    }

    @Test func `a lane that has joined without a partition is ready`() {
        #expect(notReady { $0.partitions = [] } == [])
    }

    @Test func `a lane without its database is not ready`() {
        #expect(
            notReady { $0.database = .unavailable(reason: "connection refused") }
                == ["lane-0: database not writable: connection refused"])
    }

    @Test func `an unknown lag is not ready, any known one is`() {
        #expect(notReady { $0.partitions[0].lag = nil } == ["lane-0: vitals/3: lag unknown"])
        #expect(
            notReady {
                $0.partitions[0].lag = nil
                $0.partitions[0].state = .waiting(reason: "take-over")
            } == ["lane-0: vitals/3: lag unknown: take-over"])
        #expect(notReady { $0.partitions[0].lag = 1_000_000_000 } == [])
        #expect(notReady { $0.partitions[0].state = .waiting(reason: "database busy") } == [])
    }

    @Test func `a stopped partition is not ready`() {
        #expect(
            notReady { $0.partitions[0].state = .stopped(reason: "topic re-created") }
                == ["lane-0: vitals/3: stopped: topic re-created"])
    }

    @Test func `many reasons are told in short`() {
        let reasons = notReady {
            $0.partitions = (0..<1_000).map { PartitionHealth(topic: "t", partition: $0, lag: nil, state: .running) }
        }
        #expect(reasons.count == 65)
        #expect(reasons.last == "and 936 more")
    }

    @Test func `a lane that turned too long ago is not alive, whatever else it says`() {
        let stale = ServiceHealth(lanes: [lane(), lane("lane-1") { $0.lastTurnAgeMilliseconds = 10_001 }])
        #expect(HealthJudgement.reasonsNotAlive(stale, staleMilliseconds: 10_000) == ["lane-1: no turn for 10001 ms"])
        #expect(HealthJudgement.reasonsNotAlive(stale, staleMilliseconds: 10_001) == [])
    }

    @Test func `a database or a broker that is away is no cause to be restarted`() {
        let away = ServiceHealth(lanes: [
            lane {
                $0.database = .unavailable(reason: "away")
                $0.membership = .joining
            }
        ])
        #expect(HealthJudgement.reasonsNotAlive(away, staleMilliseconds: 10_000) == [])
    }

    @Test func `totals are sums over lanes, and an unknown lag makes the sum unknown`() {
        var health = ServiceHealth(lanes: [lane { $0.counters.inserted = 5 }, lane { $0.counters.inserted = 7 }])
        #expect(health.totals.inserted == 12)
        #expect(health.totalLag == 24)
        health.lanes[1].partitions[0].lag = nil
        #expect(health.totalLag == nil)
    }
}
