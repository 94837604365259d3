internal import Ingest
internal import Service
internal import VitalSigns

/// What each step of a lane costs a reading, in this process, without broker and database.
///
/// This thread's processor time, and the best of many rounds: whatever else the machine does only ever adds. That no
/// step allocates is proved by the AllocationTests of IngestTests and VitalSignsTests, which count.
enum StageScenario {
    private static let count = 65_536
    private static let slice = 512

    static func run(_ stage: inout Stage) throws -> ScenarioResult {
        let bench = stage.bench
        bench.begin("costs of the steps")
        // The rows arrive as a lane's do: 10,000 patients by turns, a tenth repeated.
        let workload = Workload(
            messages: .max, patients: BacklogScenario.patients, start: 1_767_225_600_000, mix: .backlog,
            format: .full)
        let messages = Messages(workload, count: count)
        let readings = UnsafeMutablePointer<Reading>.allocate(capacity: count)
        defer { readings.deallocate() }
        var decoder = SliceDecoder(maxMessageBytes: 8 << 20, maxFutureMilliseconds: nil)
        var decoding = Duration.seconds(1_000)
        var planning = decoding
        var encoding = decoding
        let plan = BatchPlan(capacity: count)
        var table = PatientTable(capacity: 1 << 20)
        var probe = EncodeProbe()
        for round in 0..<(stage.isQuick ? 20 : 60) {
            let began = ProcessorTime.ofThread()
            var accepted = 0
            for start in stride(from: 0, to: count, by: slice) {
                let part = UnsafeBufferPointer(start: messages.raw + start, count: slice)
                accepted += decoder.decode(part, into: readings + accepted).acceptedCount
            }
            decoding = min(decoding, ProcessorTime.ofThread() - began)
            guard accepted == count else { throw BenchError("of \(count) messages \(accepted) were accepted") }
            // Every round is later than the one before, so that its readings are new.
            for index in 0..<count { readings[index].time += Int64(round) * 60_000 }
            let planned = ProcessorTime.ofThread()
            plan.begin(readings, count: count, trustsTable: true)
            plan.findPatients(in: table)
            if !plan.unknownPatients.isEmpty {
                for patient in plan.unknownPatients { plan.learn(patient, newest: nil, in: &table) }
                plan.findPatients(in: table)
            }
            plan.classify(with: table)
            plan.stored = [Reading](repeating: Reading(), count: plan.lookUps.count)
            plan.fold(with: table)
            plan.remember(in: &table)
            planning = min(planning, ProcessorTime.ofThread() - planned)
            let encoded = ProcessorTime.ofThread()
            probe.encode(plan)
            encoding = min(encoding, ProcessorTime.ofThread() - encoded)
            try Bench.pause(.zero)
        }
        func each(_ spent: Duration) -> Double { Double(spent.wholeNanoseconds) / Double(count) }
        var result = ScenarioResult(name: "stages")
        result.figures = [
            Figure(name: "decode and validate", unit: "ns", value: each(decoding), direction: .lower),
            Figure(name: "reduce and classify", unit: "ns", value: each(planning), direction: .lower),
            Figure(name: "encode", unit: "ns", value: each(encoding), direction: .lower),
            Figure(
                name: "sum", unit: "ns", value: each(decoding + planning + encoding), direction: .lower, must: 700,
                goal: 400),
        ]
        result.notes = ["\(messages.bytes / count) bytes a message; best of all rounds of \(count) messages"]
        return result
    }

    /// Messages as a broker's client holds them.
    private final class Messages {
        let raw: UnsafeMutablePointer<RawMessage>
        private let arena: UnsafeMutableRawPointer
        private(set) var bytes = 0

        init(_ workload: Workload, count: Int) {
            raw = .allocate(capacity: count)
            arena = .allocate(byteCount: count * 512, alignment: 16)
            var text = ReadingText()
            var next = arena
            for index in 0..<count {
                text.write(workload.reading(at: index))
                next.copyMemory(from: text.bytes, byteCount: text.bytes.count)
                let key = next + text.bytes.count
                key.copyMemory(from: text.key, byteCount: text.key.count)
                (raw + index).initialize(
                    to: RawMessage(
                        payload: UnsafeRawPointer(next), payloadLength: text.bytes.count,
                        key: UnsafeRawPointer(key), keyLength: text.key.count, offset: Int64(index),
                        timestampMilliseconds: 1_767_225_600_000, partition: 0))
                bytes += text.bytes.count
                next = key + text.key.count
            }
        }

        deinit {
            raw.deallocate()
            arena.deallocate()
        }
    }
}
