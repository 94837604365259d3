internal import Kafka
internal import PatientFlow
internal import Service
internal import VitalSigns

// Events of patient flow, from the slice into the batch and from there into the transaction.
extension Lane where Source: ~Copyable, Store: ~Copyable {
    /// A message of patient flow leaves the slice; `admit` has judged its offset.
    mutating func keepFlow(_ record: SourceRecord, _ position: Int, at taken: Int) {
        unsafe flowRaw[taken] = RawMessage(
            payload: record.payload, payloadLength: record.payloadLength, key: record.key,
            keyLength: record.keyLength, offset: record.offset,
            timestampMilliseconds: record.timestampMilliseconds, partition: record.partition)
        unsafe flowPositions[taken] = Int32(position)
    }

    /// Judges the messages in `flowRaw`: events and dead letters go into the filling batch.
    mutating func decodeFlow(_ count: Int) {
        let slice = unsafe flowDecoder.decode(UnsafeBufferPointer(start: flowRaw, count: count))
        for accepted in slice.accepted { filling.flowEvents.append(accepted.event) }
        counters.unknownFields += slice.unknownFields
        counters.keyMismatches += slice.keyMismatches
        for rejected in slice.rejected {
            let position = unsafe Int(flowPositions[rejected.messageIndex])
            keepDeadLetter(position, rejected.reason, detail: Array(rejected.detail.utf8))
        }
    }

    /// A message came from a partition of patient flow.
    mutating func noteHeard(_ place: Int) {
        partitions[place].heardAt = lastTurn
        partitions[place].clock?.watermark.hear(nil, now: lastTurn.wholeMilliseconds)
    }

    // MARK: - Planning

    /// The sealed batch has events, or is there to close windows: asks what they meet. A batch that failed begins here
    /// again, with nothing kept.
    mutating func planFlow(_ now: MonotonicTime) {
        let asked = (sealed.advances + sealed.holds).map(\.partition).filter { partition in
            partition.topic == configuration.flowTopic
                && partitions.contains { $0.partition == partition && $0.clock == nil }
        }
        flowPlan.begin(sealed.flowEvents, partitions: asked.map(\.partition))
        foresight.begin()
        askFlow(now)
    }

    /// The answer is here: on to the next question, or to the transaction.
    mutating func continueFlow(_ now: MonotonicTime) {
        // The batch may be gone meanwhile, with its partitions.
        guard hasSealed else { return }
        flowPlan.take(store.flowAnswer)
        askFlow(now)
    }

    private mutating func askFlow(_ now: MonotonicTime) {
        if flowPlan.question == nil { recallPredictors() }
        if let question = flowPlan.question {
            store.askFlow(question)
            enter(.askingFlow, now)
            return
        }
        hearNews()
        planClosings(now)
        if sealed.advances.isEmpty, flowPlan.changes.closings.isEmpty {
            // Nothing has ended: no transaction.
            rememberFlow()
            hasSealed = false
            return
        }
        sealed.flow = flowPlan.changes
        commitPlanned(now)
    }

    /// Predictors that are not in memory as of the version that the plan is made on are asked for.
    private mutating func recallPredictors() {
        for change in flowPlan.changes.facilities {
            guard let states = flowPlan.models[change.facility] else { continue }
            if foresight.load(change.facility, version: change.version, states) { continue }
            log.warning(
                "a predictor's state cannot be read: it begins anew", .field("lane", configuration.lane),
                .field("facility", change.facility.text), every: .seconds(60), key: change.facility.text)
        }
        let missing = flowPlan.changes.facilities.filter { !foresight.isCurrent($0.facility, version: $0.version) }
        if !missing.isEmpty { flowPlan.askModels(of: missing.map(\.facility)) }
    }

    /// Everything is known: the predictors hear what is new, as copies that only the commit makes the real ones.
    private mutating func hearNews() {
        let news = Dictionary(grouping: flowPlan.news) { $0.facility }
        for change in flowPlan.changes.facilities {
            flowPlan.changes.foresights.append(
                foresight.observe(news[change.facility] ?? [], of: change.facility, version: change.version))
        }
    }

    /// Moves the clocks of the batch's partitions, and closes the windows that have ended by them.
    private mutating func planClosings(_ now: MonotonicTime) {
        plannedClocks.removeAll(keepingCapacity: true)
        for advance in sealed.advances + sealed.holds where advance.partition.topic == configuration.flowTopic {
            guard let mine = partitions.first(where: { $0.partition == advance.partition }) else { continue }
            let number = advance.partition.partition
            var clock = mine.clock ?? FlowClock(watermarkSettings, flowPlan.times[number], heardAt: mine.heardAt)
            if sealed.holds.isEmpty {
                let newest = sealed.flowEvents.lazy.filter { $0.partition == number }.map(\.occurredAt).max()
                clock.watermark.hear(newest, now: now.wholeMilliseconds)
            } else {
                clock.watermark.wait(now: now.wholeMilliseconds)
            }
            flowPlan.close(number, at: clock.watermark, wallClock: configuration.wallClock())
            if let instant = clock.takeClosing() {
                flowPlan.changes.closings.append(
                    FlowClosing(partition: number, watermark: instant, isIdle: !sealed.holds.isEmpty))
            }
            plannedClocks.append((advance.partition, clock))
        }
    }

    private var watermarkSettings: Watermark.Settings {
        Watermark.Settings(
            allowedLatenessMilliseconds: configuration.allowedLatenessMilliseconds,
            idleAfterMilliseconds: configuration.flowIdle.wholeMilliseconds)
    }

    /// What was planned is in the database: now, and only now, memory follows.
    mutating func rememberFlow() {
        for (partition, clock) in plannedClocks {
            guard let place = partitions.firstIndex(where: { $0.partition == partition }) else { continue }
            partitions[place].clock = clock
        }
        plannedClocks.removeAll(keepingCapacity: true)
        foresight.remember()
    }

    /// Forgets what was planned and what predictors are: the database knows.
    mutating func forgetFlow() {
        plannedClocks.removeAll(keepingCapacity: true)
        foresight.removeAll()
    }

    // MARK: - Idle partitions

    /// Nothing is to be written: windows end all the same where no message has come for a while. The small transaction
    /// writes in the name of the partition's owner, so it is fenced like any other.
    mutating func closeIdleWindows(_ now: MonotonicTime) {
        guard configuration.flowTopic != nil, let place = partitions.firstIndex(where: { isIdle($0, now) }) else {
            return
        }
        let partition = partitions[place]
        guard let owner = partition.owner else { return }
        sealed.reset()
        sealed.holds = [
            PartitionAdvance(
                partition: partition.partition, owner: owner, epoch: partition.epoch, expectedNext: partition.committed)
        ]
        hasSealed = true
        sealedIsOrphan = false
        sealedAt = now
        attempts = 0
        lastFailure = ""
        trustsTable = true
        planSealed(now)
    }

    /// Whether windows may have ended in a partition by waiting alone; not while there is something to read.
    private func isIdle(_ partition: LanePartition, _ now: MonotonicTime) -> Bool {
        guard partition.partition.topic == configuration.flowTopic, partition.phase == .running,
            now - partition.heardAt >= configuration.flowIdle,
            source.cachedWatermarks(of: partition.partition)?.high ?? 0 <= partition.committed
        else { return false }
        guard var clock = partition.clock else { return true }
        clock.watermark.wait(now: now.wholeMilliseconds)
        return clock.takeClosing() != nil
    }
}
