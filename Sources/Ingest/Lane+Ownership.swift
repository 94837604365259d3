internal import Kafka
internal import Service

// Taking partitions over, and finding out who has them.
extension Lane where Source: ~Copyable, Store: ~Copyable {
    /// The connection is free: whatever is most urgent.
    mutating func startWork(_ now: MonotonicTime) {
        if isStalled {
            isStalled = false
            // Nothing was asked of the log meanwhile: nobody would have noticed that it was made anew.
            verifyFlowing()
            reassignFlowing()
        }
        if hasSealed {
            planSealedAgain(now)
            return
        }
        if startOwnershipCheck(now) || startTakeOver(now) { return }
        if !filling.isEmpty { seal(now) } else { closeIdleWindows(now) }
    }

    /// Asks now and then who owns the partitions that are contested or stopped, and those that flow while nothing was
    /// asked of the database for a while: so a quiet lane notices that its session is gone, or its partitions.
    private mutating func startOwnershipCheck(_ now: MonotonicTime) -> Bool {
        guard now >= ownershipCheckAt else { return false }
        let isQuiet = now - stageSince >= configuration.ownershipInterval
        var asked: [TopicPartition] = []
        for partition in partitions {
            switch partition.phase {
            case .unsettled, .stopped: asked.append(partition.partition)
            case .running, .verifying: if isQuiet { asked.append(partition.partition) }
            case .awaitingTakeOver: break
            }
        }
        guard isQuiet || !asked.isEmpty else { return false }
        ownershipCheckAt = now + configuration.ownershipInterval
        for case .unsettled(let retakeAt) in partitions.map(\.phase) where retakeAt > now {
            ownershipCheckAt = min(ownershipCheckAt, retakeAt)
        }
        store.readOwnership(of: asked)
        enter(.readingOwnership, now)
        return true
    }

    /// Decides which of the contested and stopped partitions may be taken over. A flowing one that has another epoch
    /// means that all in memory may be outdated, as when a commit is fenced.
    ///
    /// Nobody newer has a contested one, or an operator has released it: now. Otherwise only when the group still gives
    /// it to this lane after longer than a session lasts. A stopped one when an operator has raised its epoch.
    mutating func settleOwnership(_ ownerships: [PartitionOwnership], _ now: MonotonicTime) {
        let isOvertaken = partitions.contains { mine in
            mine.isFlowing && ownerships.contains { $0.partition == mine.partition && $0.epoch != mine.epoch }
        }
        if isOvertaken {
            log.warning("overtaken: another owner has the partitions", .field("lane", configuration.lane))
            dropMemory(now)
        }
        for place in partitions.indices {
            let mine = partitions[place]
            let row = ownerships.first { $0.partition == mine.partition }
            switch mine.phase {
            case .unsettled(let retakeAt):
                let isFree = row.map { $0.owner == nil || $0.epoch <= mine.epoch } ?? true
                if isFree || now >= retakeAt { partitions[place].phase = .awaitingTakeOver }
            case .stopped:
                if row.map({ $0.epoch != mine.epoch }) ?? true { partitions[place].phase = .awaitingTakeOver }
            case .awaitingTakeOver, .running, .verifying:
                break
            }
        }
    }

    /// Takes over what waits for it, once the group can be believed and the log's beginnings are known.
    private mutating func startTakeOver(_ now: MonotonicTime) -> Bool {
        guard now >= trustsGroupAfter, now >= watermarkRetryAt else { return false }
        let waiting = partitions.filter { $0.phase == .awaitingTakeOver }.map(\.partition)
        guard !waiting.isEmpty else { return false }
        var requests: [TakeOverRequest] = []
        for partition in waiting {
            guard let low = watermarks(of: partition, now)?.low else { return false }
            requests.append(TakeOverRequest(partition: partition, lowWatermark: low))
        }
        let owner = UUIDBytes.random()
        store.takeOver(requests, owner: owner)
        enter(.takingOver(requests, owner: owner), now)
        return true
    }

    mutating func watermarks(of partition: TopicPartition, _ now: MonotonicTime) -> Watermarks? {
        do {
            return try source.queryWatermarks(of: partition)
        } catch {
            watermarkRetryAt = now + .seconds(1)
            log.warning(
                "the ends of the log are not known yet: asking again", .field("topic", partition.topic),
                .field("partition", partition.partition), .field("error", error.text), every: .seconds(30))
            return nil
        }
    }

    /// Partitions were taken over: judges each ledger row against the log, then lets the messages flow.
    mutating func beginFlow(_ taken: [TakenPartition], owner: UUIDBytes, _ now: MonotonicTime) {
        for row in taken {
            guard let place = partitions.firstIndex(where: { $0.partition == row.partition }),
                partitions[place].phase == .awaitingTakeOver
            else { continue }
            // Asked again after the take-over: until then another owner may have moved on past an older answer.
            // Each question may take two seconds: after the first that fails the rest waits, and is taken over again.
            guard let ends = watermarks(of: row.partition, now) else { break }
            partitions[place].epoch = row.epoch
            partitions[place].owner = owner
            partitions[place].committed = row.nextOffset
            partitions[place].heardAt = now
            partitions[place].clock = nil
            unsafe cursors[place] = PartitionCursor()
            unsafe cursors[place].next = row.nextOffset
            unsafe cursors[place].batchStart = row.nextOffset
            unsafe cursors[place].lastHash = row.lastMessageHash
            unsafe cursors[place].batchStartHash = row.lastMessageHash
            if row.nextOffset > ends.high || row.nextOffset < ends.low {
                let cause =
                    row.nextOffset > ends.high
                    ? "the topic was re-created or truncated" : "retention has removed messages that were never read"
                stop(
                    place,
                    reason: "the ledger stands at offset \(row.nextOffset), the log holds \(ends.low) to \(ends.high): "
                        + "\(cause); see vitalstream offsets")
                continue
            }
            if let hash = row.lastMessageHash, row.nextOffset > ends.low {
                partitions[place].phase = .verifying(hash: hash)
            } else {
                partitions[place].phase = .running
            }
        }
        log.info(
            "took partitions over", .field("lane", configuration.lane),
            .field(
                "partitions",
                taken.map { "\($0.partition)@\($0.nextOffset)/e\($0.epoch)" }.joined(separator: " ")))
        reassignFlowing()
    }
}
