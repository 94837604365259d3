import Ingest
import Kafka
import LaneLaboratory
import Service
import Testing
import VitalSigns

/// Where readings come from: texts become numbers once, ids come from the database.
@Suite struct OriginTableTests {
    private func append(_ lab: LaneLab, _ origin: OriginNames, second: Int) {
        lab.log.append(
            .reading(TestReading(patient: 1, second: second, vitals: ["heartRate": "60"], origin: origin)), to: 0)
    }

    static let names: [OriginNames] = [
        OriginNames(facility: "a", sector: nil, device: nil), OriginNames(facility: nil, sector: "a", device: nil),
        OriginNames(facility: nil, sector: nil, device: "a"), OriginNames(facility: "a", sector: "b", device: nil),
        OriginNames(facility: "ab", sector: nil, device: nil), OriginNames(facility: "a", sector: nil, device: "b"),
        OriginNames(facility: "", sector: nil, device: nil), OriginNames(facility: "", sector: "", device: ""),
        OriginNames(facility: nil, sector: "", device: nil), OriginNames(facility: "a", sector: "", device: "b"),
        OriginNames(facility: "Krankenhaus Süd", sector: "Notaufnahme", device: "é"),
    ]

    @Test func `names are told apart, asked for once, and end up with their readings`() {
        let lab = LaneLab(partitions: 1)
        lab.join([0])
        for round in 0..<3 {
            for (index, origin) in Self.names.enumerated() { append(lab, origin, second: round * 100 + index) }
            lab.settle()
        }
        #expect(lab.session.originRequests.flatMap { $0 } == Self.names)
        #expect(lab.database.origins.count == Self.names.count)
        lab.expectAllFolded()
    }

    @Test func `escapes are names like any other`() {
        let lab = LaneLab(partitions: 1)
        lab.join([0])
        append(lab, OriginNames(facility: "\\u0041\\n", sector: nil, device: nil), second: 0)
        append(lab, OriginNames(facility: "A\\u000a", sector: nil, device: nil), second: 1)
        lab.settle()
        #expect(lab.session.originRequests == [[OriginNames(facility: "A\n", sector: nil, device: nil)]])
        #expect(Set(lab.database.rows.values.map(\.origin)) == [1])
    }

    @Test func `thousands of origins are found again while the table grows`() {
        let lab = LaneLab(partitions: 1)
        lab.join([0])
        for round in 0..<2 {
            for index in 0..<5_000 {
                append(
                    lab, OriginNames(facility: "f\(index % 7)", sector: "s\(index % 11)", device: "d\(index)"),
                    second: round * 5_000 + index)
            }
            lab.settle()
        }
        #expect(lab.session.originRequests.reduce(0) { $0 + $1.count } == 5_000)
        lab.expectAllFolded()
    }

    /// A device that invents a name for each message must not make the lane's memory grow for ever.
    @Test func `past its bound the table is emptied, also when every batch brings new names`() {
        let lab = LaneLab(partitions: 1, log: .error) { $0.batchMaxRows = 8_192 }
        lab.join([0])
        let constant = OriginNames(facility: "always", sector: nil, device: nil)
        var second = 0
        for round in 0..<140 {
            append(lab, constant, second: second)
            for index in 1..<1_000 {
                append(
                    lab, OriginNames(facility: nil, sector: nil, device: "\(round * 1_000 + index)"),
                    second: second + index)
            }
            second += 1_000
            // Messages go on coming while the names are being asked for, as they do under load.
            lab.turn()
            lab.turn()
        }
        lab.settle()
        #expect(lab.committed(0) == 140_000)
        // Each time the table is emptied the constant origin is asked for again.
        let asked = lab.session.originRequests.count { $0.contains(constant) }
        #expect((2...4).contains(asked))
        #expect(lab.database.origins.count == 140 * 999 + 1)
        #expect(lab.session.misuses.isEmpty)
    }
}
