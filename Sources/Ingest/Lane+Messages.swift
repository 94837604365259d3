internal import Kafka
internal import Service
internal import VitalSigns

// From the source into the filling batch.
extension Lane where Source: ~Copyable, Store: ~Copyable {
    /// Takes one slice: events first, since they decide whose messages still count.
    mutating func takeMessages(_ now: MonotonicTime) {
        let room = min(
            min(rowLimit, filling.capacity) - filling.messageCount,
            LaneConfiguration.mostFlowEvents - filling.flowEvents.count)
        let polled = source.poll(limit: min(room, LaneConfiguration.sliceMessages))
        isDrained = polled.isDrained
        while let event = source.takeEvent() {
            isDrained = false
            handle(event, now)
        }
        if polled.count > 0 {
            let (taken, flowTaken) = admit(polled.count)
            if taken + flowTaken > 0 {
                noteAdvances()
                if taken > 0 { decode(taken) }
                if flowTaken > 0 { decodeFlow(flowTaken) }
            }
            source.release()
        }
        if needsReassignment { reassignFlowing() }
    }

    /// Checks every message's offset and leaves those that count in `raw`, in order; those of patient flow in
    /// `flowRaw`.
    private mutating func admit(_ count: Int) -> (taken: Int, flowTaken: Int) {
        var taken = 0
        var flowTaken = 0
        for position in 0..<count {
            let record = source.record(at: position)
            let place = index.find(topicIndex: record.topicIndex, partition: record.partition)
            guard place >= 0 else { continue }
            let cursor = unsafe cursors + place
            if unsafe cursor.pointee.state != .running {
                guard unsafe cursor.pointee.state == .verifying, verify(record, place) else { continue }
            }
            if unsafe record.offset != cursor.pointee.next {
                guard unsafe record.offset > cursor.pointee.next else {
                    counters.repeats += 1
                    continue
                }
                guard acceptGap(before: record.offset, place) else { continue }
            }
            unsafe cursor.pointee.next = record.offset + 1
            unsafe cursor.pointee.lastInSlice = Int32(position)
            if record.topicIndex == flowTopicIndex {
                keepFlow(record, position, at: flowTaken)
                flowTaken += 1
                continue
            }
            unsafe raw[taken] = RawMessage(
                payload: record.payload, payloadLength: record.payloadLength, key: record.key,
                keyLength: record.keyLength, offset: record.offset,
                timestampMilliseconds: record.timestampMilliseconds, partition: record.partition)
            unsafe slicePositions[taken] = Int32(position)
            taken += 1
        }
        return (taken, flowTaken)
    }

    /// An offset is missing. The first time the partition is assigned again from where it should go on; when the same
    /// gap comes again it is the log's own (transaction markers, compaction) and is booked.
    private mutating func acceptGap(before offset: Int64, _ place: Int) -> Bool {
        let cursor = unsafe cursors + place
        guard unsafe isSecondSighting(of: offset, insteadOf: cursor.pointee.next, cursor) else { return false }
        let advance = advanceEntry(of: place)
        filling.advances[advance].gaps += unsafe offset - cursor.pointee.next
        return true
    }

    /// Whether this very offset came instead of this very one before; if not, the partition is read again from there.
    private mutating func isSecondSighting(
        of offset: Int64, insteadOf expected: Int64, _ cursor: UnsafeMutablePointer<PartitionCursor>
    ) -> Bool {
        if unsafe cursor.pointee.gapSeenAt == offset, unsafe cursor.pointee.gapExpected == expected {
            unsafe cursor.pointee.gapSeenAt = -1
            return true
        }
        unsafe cursor.pointee.gapSeenAt = offset
        unsafe cursor.pointee.gapExpected = expected
        unsafe cursor.pointee.state = .ignored
        needsReassignment = true
        return false
    }

    /// The first message after a take-over: the one that the ledger remembers, or the log is another one.
    /// - Returns: whether the message is to be taken; the remembered one itself is already in the database.
    private mutating func verify(_ record: SourceRecord, _ place: Int) -> Bool {
        guard case .verifying(let hash) = partitions[place].phase else { return false }
        let cursor = unsafe cursors + place
        let next = unsafe cursor.pointee.next
        if record.offset < next - 1 { return false }
        if record.offset >= next, unsafe !isSecondSighting(of: record.offset, insteadOf: next - 1, cursor) {
            // Lost on the way, or gone from the log: only a second look tells.
            return false
        }
        if record.offset == next - 1, MessageHash.of(record) != hash {
            stop(
                place,
                reason: "the message at offset \(next - 1) is not the one that was stored: the topic was re-created; "
                    + "see vitalstream offsets")
            return false
        }
        partitions[place].phase = .running
        unsafe cursor.pointee.state = .running
        return record.offset >= next
    }

    /// The partition's entry in the filling batch, made when there is none yet.
    private mutating func advanceEntry(of place: Int) -> Int {
        let known = unsafe Int(cursors[place].advance)
        if known >= 0 { return known }
        let partition = partitions[place]
        guard let owner = partition.owner else { preconditionFailure("a message of a partition nobody took over") }
        filling.advances.append(
            PartitionAdvance(
                partition: partition.partition, owner: owner, epoch: partition.epoch,
                expectedNext: unsafe cursors[place].batchStart))
        unsafe cursors[place].advance = Int32(filling.advances.count - 1)
        return filling.advances.count - 1
    }

    /// Moves the filling batch's advances to where the slice ended.
    private mutating func noteAdvances() {
        for place in partitions.indices where unsafe cursors[place].lastInSlice >= 0 {
            let record = source.record(at: unsafe Int(cursors[place].lastInSlice))
            let advance = advanceEntry(of: place)
            filling.advances[advance].next = unsafe cursors[place].next
            let hash = MessageHash.of(record)
            filling.advances[advance].lastMessageHash = hash
            unsafe cursors[place].lastHash = hash
            unsafe cursors[place].lastInSlice = -1
            if partitions[place].partition.topic == configuration.flowTopic { noteHeard(place) }
        }
    }

    /// Judges the messages in `raw`: readings and dead letters go into the filling batch.
    private mutating func decode(_ count: Int) {
        let start = filling.readingCount
        let outcome = unsafe decoder.decode(
            UnsafeBufferPointer(start: raw, count: count), into: filling.readings + start)
        filling.readingCount += outcome.acceptedCount
        counters.unknownFields += outcome.unknownFields
        counters.keyMismatches += outcome.keyMismatches
        for origin in 0..<decoder.originCount {
            let reading = start + decoder.originReadingIndex(origin)
            let number = unsafe decoder.withOriginTexts(origin) { facility, sector, device in
                unsafe origins.intern(facility: facility, sector: sector, device: device)
            }
            unsafe filling.readings[reading].origin = number
            filling.hasOrigins = true
        }
        for rejection in 0..<decoder.rejectedCount { keepDeadLetter(rejection) }
    }

    private mutating func keepDeadLetter(_ number: Int) {
        let rejection = decoder.rejection(at: number)
        let position = unsafe Int(slicePositions[rejection.messageIndex])
        keepDeadLetter(position, rejection.reason, detail: unsafe decoder.withDetail(at: number) { unsafe Array($0) })
    }

    /// Keeps the slice's message at `position` as a dead letter.
    mutating func keepDeadLetter(_ position: Int, _ reason: RejectReason, detail: [UInt8]) {
        let record = source.record(at: position)
        let place = index.find(topicIndex: record.topicIndex, partition: record.partition)
        let payload =
            unsafe record.payload.map { unsafe UnsafeRawBufferPointer(start: $0, count: record.payloadLength) }
        let letters = filling.deadLetters
        let partition = partitions[place].partition
        let receivedAt = configuration.wallClock()
        unsafe letters.append(
            position: TopicPartitionOffset(partition, offset: record.offset), reason: reason,
            receivedAtMilliseconds: receivedAt, detail: detail, payload: payload
        ) { arena in
            unsafe HeaderText.append(to: &arena) { add in
                unsafe source.forEachHeader(at: position) { name, value in unsafe add(name, value) }
            }
        }
        filling.advances[unsafe Int(cursors[place].advance)].rejected += 1
    }

    // MARK: - Assignment

    /// Has every flowing partition read again from the message before, which must be the one that was taken.
    mutating func verifyFlowing() {
        for place in partitions.indices where partitions[place].phase == .running {
            guard let hash = unsafe cursors[place].lastHash else { continue }
            partitions[place].phase = .verifying(hash: hash)
            unsafe cursors[place].state = .ignored
        }
        needsReassignment = true
    }

    /// Assigns every flowing partition from where it stands, after a gap or when one of them stopped.
    mutating func reassignFlowing() {
        needsReassignment = false
        var starts: [TopicPartitionOffset] = []
        for place in partitions.indices where partitions[place].isFlowing {
            let next = unsafe cursors[place].next
            if case .verifying = partitions[place].phase {
                unsafe cursors[place].state = .verifying
                starts.append(TopicPartitionOffset(partitions[place].partition, offset: next - 1))
            } else {
                unsafe cursors[place].state = .running
                starts.append(TopicPartitionOffset(partitions[place].partition, offset: next))
            }
        }
        assign(starts)
    }

    mutating func assign(_ starts: [TopicPartitionOffset]) {
        do {
            try source.assign(starts)
        } catch {
            log.error(
                "librdkafka refused an assignment", .field("lane", configuration.lane), .field("error", error.text))
        }
        isDrained = false
    }

    /// Takes a partition out of the flow until an operator has moved its offset.
    mutating func stop(_ place: Int, reason: String) {
        partitions[place].phase = .stopped(reason: reason)
        unsafe cursors[place].state = .ignored
        unsafe cursors[place].gapSeenAt = -1
        needsReassignment = true
        log.error(
            "partition stopped", .field("topic", partitions[place].partition.topic),
            .field("partition", partitions[place].partition.partition), .field("reason", reason))
    }
}
