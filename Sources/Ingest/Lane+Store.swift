internal import Kafka
internal import Service
internal import VitalSigns

// Driving the store, and everything that is decided when it fails.
extension Lane where Source: ~Copyable, Store: ~Copyable {
    /// So often one batch is looked up again, from the fourth time on every 100 ms, before its message is searched for.
    private static var mostConflicts: Int { 20 }

    mutating func enter(_ next: Stage, _ now: MonotonicTime) {
        stage = next
        stageSince = now
    }

    /// Steps the request under way, and goes on from its end to the next as long as nothing has to be waited for.
    mutating func driveStore(_ now: MonotonicTime) {
        switch stage {
        case .idle: return
        case .disconnected(let retryAt):
            guard now >= retryAt else { return }
            store.connect()
            enter(.connecting, now)
        case .backingOff(let until):
            guard now >= until else { return }
            enter(.idle, now)
            return
        case .connecting, .takingOver, .endingBlockers, .readingOwnership, .resolvingOrigins, .fetchingNewest,
            .fetchingStored, .askingFlow, .committing:
            break
        }
        switch store.advance() {
        case .idle: preconditionFailure("the lane waits for a request it never made")
        case .working:
            if now - stageSince > configuration.requestLimit {
                // The same batch would meet the same limit again; a commit lets it grow back.
                if hasSealed, sealed.messageCount > 0 { rowLimit = max(1, min(sealed.messageCount, rowLimit) / 2) }
                fail(.away("no answer for \(configuration.requestLimit.wholeMilliseconds / 1_000) s"), now)
            }
        case .finished: finishStage(now)
        case .failed(let failure): fail(failure, now)
        }
    }

    private mutating func finishStage(_ now: MonotonicTime) {
        switch stage {
        case .idle, .disconnected, .backingOff: return
        case .connecting:
            noteDatabaseBack(now)
            ownershipCheckAt = now
            enter(.idle, now)
        case .takingOver(_, let owner):
            enter(.idle, now)
            beginFlow(store.taken, owner: owner, now)
        case .endingBlockers:
            enter(.idle, now)
        case .readingOwnership:
            enter(.idle, now)
            settleOwnership(store.ownerships, now)
        case .resolvingOrigins(let numbers):
            for (position, number) in numbers.enumerated() { origins.resolve(number, id: store.originIDs[position]) }
            enter(.idle, now)
            planSealed(now)
        case .fetchingNewest:
            learnNewest()
            enter(.idle, now)
            classifySealed(now)
        case .fetchingStored:
            plan.stored = store.stored
            enter(.idle, now)
            foldAndCommit(now)
        case .askingFlow:
            enter(.idle, now)
            continueFlow(now)
        case .committing:
            noteCommit(now)
            enter(.idle, now)
        }
    }

    /// The one place that decides what a failure of the store means.
    private mutating func fail(_ failure: StoreFailure, _ now: MonotonicTime) {
        if case .connecting = stage {
            // A session that was not set up to its end is none.
            return loseDatabase("\(failure.reason)", level: failure.needsPerson ? .error : .warning, now)
        }
        switch failure {
        case .retry(let sqlState):
            if case .takingOver(let requests, _) = stage {
                // Whoever holds the ledger row through a whole lock time-out is frozen; no time-out of the server ends
                // a session that waits for COPY data.
                log.warning(
                    "a take-over is blocked: ending the session that holds the ledger row",
                    .field("lane", configuration.lane), .field("sqlstate", sqlState))
                store.endBlockers(of: requests.map(\.partition))
                enter(.endingBlockers, now)
                return
            }
            attempts += 1
            lastFailure = sqlState
            log.write(
                attempts > 3 ? .warning : .info, "transaction to be repeated",
                [.field("lane", configuration.lane), .field("sqlstate", sqlState), .field("attempts", attempts)],
                every: .seconds(10))
            let pause = min(Duration.milliseconds(20 * attempts), .seconds(1))
            enter(.backingOff(until: now + pause), now)
        case .conflict(let sqlState):
            attempts += 1
            lastFailure = sqlState
            trustsTable = false
            if attempts > Self.mostConflicts {
                // Nobody writes that often in between: something stored contradicts the message itself. Only of one
                // facility, which two lanes may share after the topic has grown, the quicker one always may: a smaller
                // batch is quicker.
                narrow(sqlState, now, stops: sealed.flowEvents.isEmpty)
                enter(.idle, now)
                return
            }
            // Memory is not asked any more: from the second time on somebody else writes, or a row cannot be matched.
            log.write(
                attempts > 3 ? .warning : .debug, "the database contradicts memory: batch looked up again",
                [.field("lane", configuration.lane), .field("sqlstate", sqlState), .field("attempts", attempts)],
                every: .seconds(10))
            enter(.backingOff(until: attempts > 3 ? now + .milliseconds(100) : now), now)
        case .fenced:
            log.warning("fenced: another owner has the partitions, nothing written", .field("lane", configuration.lane))
            dropMemory(now)
            enter(.idle, now)
        case .data(let sqlState):
            narrow(sqlState, now)
            enter(.idle, now)
        case .away(let reason):
            loseDatabase(reason, level: .warning, now)
        case .refused(let reason):
            loseDatabase(reason, level: .error, now)
        }
    }

    /// Forgets everything that is not known to be in the database; ownership is asked for before anything goes on.
    mutating func dropMemory(_ now: MonotonicTime) {
        filling.reset()
        hasSealed = false
        sealedIsOrphan = false
        trustsTable = true
        attempts = 0
        patients.removeAll()
        forgetFlow()
        // Their ids too: a standby that takes over may lack the newest and give the same ids to other names.
        origins.removeAll()
        isStalled = false
        for place in partitions.indices {
            unsafe cursors[place] = PartitionCursor()
            partitions[place].clock = nil
            if partitions[place].isFlowing {
                partitions[place].phase = .unsettled(retakeAt: now + configuration.contestedWait)
            }
        }
        ownershipCheckAt = now
        assign([])
    }

    private mutating func loseDatabase(_ reason: String, level: LogLevel, _ now: MonotonicTime) {
        store.disconnect()
        // A session proves nothing by standing up: a server that lets us in and fails every commit is still away.
        if let since = connectedAt, now - since > configuration.reconnectPause.longest {
            reconnectPause = configuration.reconnectPause.first
        }
        connectedAt = nil
        dropMemory(now)
        if awaySince == nil || databaseReason != reason {
            let fields: [LogField] = [
                .field("lane", configuration.lane), .field("reason", reason),
            ]
            log.write(level, "the database cannot be used: waiting, in the group, reading nothing", fields)
        }
        if awaySince == nil { awaySince = now }
        databaseReason = reason
        enter(.disconnected(retryAt: now + reconnectPause), now)
        reconnectPause = min(reconnectPause * 2, configuration.reconnectPause.longest)
    }

    private mutating func noteDatabaseBack(_ now: MonotonicTime) {
        connectedAt = now
        databaseReason = ""
        guard let since = awaySince else { return }
        awaySince = nil
        log.info("the database is back", .field("lane", configuration.lane), .field("away_milliseconds", now - since))
    }

    /// The server refused a value that validation let through: smaller batches find the message, which then stops its
    /// partition. It never becomes a dead letter: those are for messages, this is a defect.
    /// - Parameter stops: whether a message alone in its batch stops its partition.
    private mutating func narrow(_ sqlState: String, _ now: MonotonicTime, stops: Bool = true) {
        let count = sealed.messageCount
        guard stops, hasSealed, !sealedIsOrphan, count == 1, let advance = sealed.advances.first,
            let place = partitions.firstIndex(where: { $0.partition == advance.partition })
        else {
            if count > 0 { rowLimit = max(1, min(count, rowLimit) / 2) }
            log.warning(
                "the database refused a value: looking for the message", .field("lane", configuration.lane),
                .field("sqlstate", sqlState), .field("batch_rows", rowLimit))
            dropMemory(now)
            return
        }
        dropMemory(now)
        stop(
            place,
            reason: "the database refuses the message at offset \(advance.next - 1) (SQLSTATE \(sqlState)); "
                + "see vitalstream offsets")
        needsReassignment = false
        rowLimit = filling.capacity
    }
}
