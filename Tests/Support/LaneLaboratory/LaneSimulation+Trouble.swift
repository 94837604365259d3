internal import Ingest
internal import Kafka
internal import Service
internal import TestSupport
internal import VitalSigns

// What goes wrong at the two ports and behind them.
extension LaneSimulation {
    /// How many turns a request takes, and how it ends.
    func chance(_ kind: FakeSession.Kind) -> (steps: Int, outcome: FakeSession.Outcome) {
        var steps = 0
        if numbers.oneIn(8) {
            count(.slowAnswer)
            steps = 1 + numbers.below(numbers.pick([3, 20, 200]))
        }
        guard numbers.oneIn(kind == .commit ? 8 : 50) else { return (steps, .succeed) }
        return (steps, trouble(kind))
    }

    private func trouble(_ kind: FakeSession.Kind) -> FakeSession.Outcome {
        func fail(_ fault: SimulatedFault, _ failure: StoreFailure) -> FakeSession.Outcome {
            count(fault)
            return .fail(failure)
        }
        let isCommit = kind == .commit
        switch numbers.below(14) {
        case 0...2:
            count(.answerLost)
            return .loseAnswer
        case 3:
            count(.killedBefore)
            return .die(after: false)
        case 4, 5:
            count(.killedAfter)
            return .die(after: true)
        case 6, 7: return fail(.connectionLost, .away("the server ended"))
        case 8: return fail(.serialization, .retry(sqlState: "40001"))
        case 9: return fail(.deadlock, .retry(sqlState: "40P01"))
        case 10 where isCommit: return fail(.uniqueViolation, .conflict(sqlState: "23505"))
        case 11 where isCommit: return fail(.fencedOnce, .fenced)
        case 12 where isCommit: return fail(.refusedValue, .data(sqlState: "22P02"))
        case 13: return fail(.missingRight, .refused("a right is missing"))
        default: return fail(.connectionLost, .away("the server ended"))
        }
    }

    /// What librdkafka was seen to do. A message lost on the way and another that comes too early could together look
    /// like the log's own gap, twice the same; no run has both.
    func upset(_ place: SimulatedPlace) {
        let consumer = place.process.consumer
        consumer.slice = numbers.pick([1, 7, 512])
        if numbers.oneIn(200) {
            count(.endsUnknown)
            consumer.failingWatermarks = 1
        }
        // A partition moves to another leader, in the middle of whatever the lane is doing.
        if numbers.oneIn(60) {
            count(.fetchRefused)
            consumer.events.append(.fetchRefused)
        }
        let partition = numbers.below(partitions)
        if numbers.oneIn(20), let position = consumer.position(partition), position > 0 {
            count(.redelivery)
            let offset = Int64(numbers.below(Int(position)))
            consumer.strays.append((FakeConsumer.Place(partition: partition, offset: offset), 0))
        }
        guard loses else {
            consumer.leftovers = numbers.oneIn(4) ? numbers.below(4) : 0
            if consumer.leftovers > 0 { count(.leftover) }
            return
        }
        if numbers.oneIn(40) {
            let start = log.high(partition) - 3 + Int64(numbers.below(6))
            for offset in start..<start + 1 + Int64(numbers.below(3)) {
                // Lost twice at one place it would be the log's own gap, by the lane's rule.
                let lost = FakeConsumer.Place(partition: partition, offset: offset)
                if place.lost.insert(lost).inserted {
                    count(.messageLost)
                    consumer.hiccups.append(lost)
                }
            }
        }
    }

    /// The server goes on with a commit whose client has gone; the fence decides.
    func executeOrphan() {
        let request = database.orphans.removeFirst()
        count(.lateCommit)
        do {
            try database.apply(request)
            note("a commit whose client has gone is done: \(request.summary)")
        } catch {
            note("a commit whose client has gone fails: \(error) \(request.summary)")
        }
    }

    /// A standby without the last commits takes over.
    func failOver(to snapshot: FakeDatabase.Snapshot) {
        count(.failover)
        note("a standby takes over")
        database.restore(snapshot)
        for place in places { place.process.session.cut() }
        // What the old server was still doing is lost with it.
        database.orphans = []
        database.locked = []
    }

    /// Retention removes what is committed, and now and then more; an operator looks after partitions that stand still.
    func operate() {
        for partition in 0..<partitions {
            let next = database.progress[partition]?.next ?? 0
            let stored = min(next, snapshot?.next(partition) ?? 0)
            if numbers.oneIn(3), stored > log.low[partition] {
                count(.retention)
                log.removeBefore(
                    log.low[partition] + Int64(numbers.below(Int(stored - log.low[partition]) + 1)), partition)
            }
            if overtakes, numbers.oneIn(8), next < log.high(partition) {
                count(.overtaken)
                let low = next + 1 + Int64(numbers.below(Int(log.high(partition) - next)))
                log.removeBefore(max(low, log.low[partition]), partition)
                note("retention removes partition \(partition) up to \(log.low[partition]), \(next) is stored")
            }
        }
        release()
    }

    /// What was stopped for a value or a hole is tried again, or passed over when it is gone.
    func release() {
        for place in places {
            for shown in place.process.status.partitions where shown.state == .stopped {
                let number = Int(shown.partition.partition)
                if shown.reason.contains("is not the one that was stored") {
                    violate(.offsets, "partition \(number) stands, though no log here is ever made anew")
                }
                if let next = database.progress[number]?.next, next < log.low[number] {
                    note("an operator moves partition \(number) from \(next) to \(log.low[number])")
                    database.skip(number, to: log.low[number])
                } else {
                    database.progress[number]?.epoch += 1
                }
            }
        }
    }
}
