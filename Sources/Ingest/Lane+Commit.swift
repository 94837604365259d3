internal import Kafka
internal import Service
internal import VitalSigns

// From the filling batch to the committed one.
extension Lane where Source: ~Copyable, Store: ~Copyable {
    /// Closes the filling batch and starts on the other one.
    mutating func seal(_ now: MonotonicTime) {
        // What the other batch held is committed or was given up; either way nobody refers to it any more.
        sealed.reset()
        swap(&filling, &sealed)
        swap(&plan, &planAhead)
        hasSealed = true
        sealedIsOrphan = false
        sealedAt = now
        attempts = 0
        lastFailure = ""
        trustsTable = true
        for place in partitions.indices {
            let advance = unsafe Int(cursors[place].advance)
            unsafe cursors[place].batchStart = unsafe cursors[place].next
            unsafe cursors[place].batchStartHash = unsafe cursors[place].lastHash
            unsafe cursors[place].advance = -1
            if advance >= 0 {
                sealed.advances[advance].highWatermark =
                    source.cachedWatermarks(of: partitions[place].partition)?.high
            }
        }
        // Partitions in one order everywhere: the fences of two lanes never wait for each other in a circle.
        sealed.advances.sort {
            ($0.partition.topic, $0.partition.partition) < ($1.partition.topic, $1.partition.partition)
        }
        if sealed.hasOrigins, origins.hasUnresolved {
            let numbers = origins.unresolvedNumbers()
            store.resolveOrigins(numbers.map { origins.names(of: $0) })
            enter(.resolvingOrigins(numbers), now)
            return
        }
        planSealed(now)
    }

    /// The batch that a failure left behind, from the start.
    mutating func planSealedAgain(_ now: MonotonicTime) {
        guard !sealedIsOrphan else {
            hasSealed = false
            return
        }
        if sealed.hasOrigins, origins.hasUnresolved {
            let numbers = origins.unresolvedNumbers()
            store.resolveOrigins(numbers.map { origins.names(of: $0) })
            enter(.resolvingOrigins(numbers), now)
            return
        }
        planSealed(now)
    }

    mutating func planSealed(_ now: MonotonicTime) {
        guard hasSealed else { return }
        if sealed.hasOrigins {
            for row in 0..<sealed.readingCount where unsafe sealed.readings[row].origin != 0 {
                unsafe sealed.readings[row].origin = unsafe origins.id(of: sealed.readings[row].origin)
            }
            sealed.hasOrigins = false
            // The filling batch is empty or was filled after the swap; only an empty one lets numbers be forgotten.
            if origins.isFull, !filling.hasOrigins { origins.removeAll() }
        }
        unsafe plan.begin(
            sealed.readings, count: sealed.readingCount, trustsTable: trustsTable, filling: sealed.filling)
        plan.findPatients(in: patients)
        if !plan.unknownPatients.isEmpty {
            store.fetchNewest(of: plan.unknownPatients)
            enter(.fetchingNewest, now)
            return
        }
        classifySealed(now)
    }

    /// Remembers the patients that were unknown; the slots of the others have moved.
    mutating func learnNewest() {
        guard hasSealed else { return }
        for (position, patient) in plan.unknownPatients.enumerated() {
            plan.learn(patient, newest: store.newest[position], in: &patients)
        }
        plan.findPatients(in: patients)
    }

    mutating func classifySealed(_ now: MonotonicTime) {
        guard hasSealed else { return }
        plan.classify(with: patients)
        if !plan.lookUps.isEmpty {
            store.fetchStored(plan.lookUps)
            enter(.fetchingStored, now)
            return
        }
        foldAndCommit(now)
    }

    mutating func foldAndCommit(_ now: MonotonicTime) {
        guard hasSealed else { return }
        plan.fold(with: patients)
        guard sealed.flowEvents.isEmpty, sealed.holds.isEmpty else { return planFlow(now) }
        commitPlanned(now)
    }

    /// Everything is planned: the one transaction.
    mutating func commitPlanned(_ now: MonotonicTime) {
        for advance in sealed.advances.indices {
            let partition = sealed.advances[advance].partition
            sealed.advances[advance].verdicts =
                partition.topic == configuration.flowTopic
                ? flowPlan.verdicts(partition: partition.partition) : plan.verdicts(partition: partition.partition)
        }
        store.commit(sealed, plan)
        enter(.committing, now)
    }

    /// The transaction is in the database: now, and only now, memory follows.
    mutating func noteCommit(_ now: MonotonicTime) {
        reconnectPause = configuration.reconnectPause.first
        if !sealed.advances.isEmpty {
            commitLatency.record(now - sealedAt, now: now)
            counters.batches += 1
        }
        for advance in sealed.advances {
            let verdicts = advance.verdicts
            counters.inserted += verdicts.inserted
            counters.merged += verdicts.merged
            counters.corrected += verdicts.corrected
            counters.duplicate += verdicts.duplicate
            counters.stale += verdicts.stale
            counters.rejected += advance.rejected
        }
        counters.consumed =
            counters.inserted + counters.merged + counters.corrected + counters.duplicate + counters.stale
            + counters.rejected
        hasSealed = false
        guard !sealedIsOrphan else {
            sealedIsOrphan = false
            return
        }
        plan.remember(in: &patients)
        for advance in sealed.advances {
            guard let place = partitions.firstIndex(where: { $0.partition == advance.partition }) else { continue }
            partitions[place].committed = advance.next
        }
        rememberFlow()
        hasUnreported = true
        if rowLimit < filling.capacity { rowLimit = min(filling.capacity, rowLimit * 2) }
    }

    /// Tells Kafka now and then how far the database is; lag tools need no more, and the brokers are spared the rest.
    mutating func reportCommitted(_ now: MonotonicTime) {
        guard hasUnreported, now >= reportAt else { return }
        hasUnreported = false
        reportAt = now + .seconds(1)
        source.reportCommitted(
            partitions.filter(\.isFlowing).map { TopicPartitionOffset($0.partition, offset: $0.committed) })
    }

    /// A copy of what the lane shows of itself.
    public func status() -> LaneStatus {
        var status = LaneStatus(lane: configuration.lane)
        status.hasJoined = hasJoined
        status.isDatabaseConnected = store.isConnected
        status.databaseReason = databaseReason
        if hasSealed, store.isConnected, lastTurn - sealedAt > configuration.commitAlarm {
            let cause = lastFailure.isEmpty ? "" : ", repeated after SQLSTATE \(lastFailure)"
            status.isDatabaseConnected = false
            status.databaseReason = "no commit for \((lastTurn - sealedAt).wholeMilliseconds / 1_000) s\(cause)"
        }
        status.counters = counters
        status.commitMilliseconds = commitLatency.milliseconds()
        for partition in partitions {
            let high = source.cachedWatermarks(of: partition.partition)?.high
            var shown = LaneStatus.Partition(
                partition: partition.partition, state: .waiting, reason: "to be taken over", lag: nil)
            switch partition.phase {
            case .awaitingTakeOver: break
            case .unsettled: shown.reason = "asking the database who owns it"
            case .stopped(let reason): (shown.state, shown.reason) = (.stopped, reason)
            case .verifying, .running: (shown.state, shown.reason) = (.running, "")
            }
            if partition.isFlowing, let high, high >= 0 { shown.lag = max(0, high - partition.committed) }
            status.partitions.append(shown)
        }
        return status
    }
}
