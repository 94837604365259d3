internal import Ingest
internal import Kafka
internal import VitalSigns

/// What a lane would go on with if it trusted itself instead of the database: under a mutation only.
struct WrongMemory {
    /// Where a commit that got no answer would have led.
    private var believedNext: [Int: Int64] = [:]
    /// The newest committed row of each patient, by the two halves of the identifier.
    private var newest: [[UInt64]: Reading] = [:]

    /// A commit has ended.
    mutating func note(_ request: CommitRequest, _ progress: StoreProgress, _ mutation: Mutation?) {
        switch mutation {
        case .unknownTakenAsDone:
            for advance in request.advances {
                let number = Int(advance.partition.partition)
                if case .failed(.away) = progress { believedNext[number] = advance.next }
                if progress == .finished { believedNext[number] = nil }
            }
        case .memoryKept where progress == .finished:
            for row in request.inserts + request.changes.map(\.new) {
                let patient = [row.patientHigh, row.patientLow]
                if row.time >= newest[patient]?.time ?? .min { newest[patient] = row }
            }
        default: break
        }
    }

    /// What a take-over tells.
    func falsify(_ taken: [TakenPartition], _ database: FakeDatabase) -> [TakenPartition] {
        guard database.mutation == .unknownTakenAsDone || database.mutation == .kafkaOffset else { return taken }
        return taken.map { row in
            let number = Int(row.partition.partition)
            let wrong =
                database.mutation == .kafkaOffset
                ? database.adoptKafkaOffset(number) : believedNext[number]
            guard let wrong, wrong != row.nextOffset else { return row }
            return TakenPartition(partition: row.partition, epoch: row.epoch, nextOffset: wrong, lastMessageHash: nil)
        }
    }

    /// What is remembered of a patient; nil: nothing.
    func newest(of patient: ReadingKey, _ database: FakeDatabase) -> Reading? {
        guard database.mutation == .memoryKept, let row = newest[[patient.patientHigh, patient.patientLow]] else {
            return nil
        }
        return row.time >= patient.time ? row : nil
    }
}
