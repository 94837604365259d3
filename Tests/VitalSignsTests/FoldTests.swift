import TestSupport
import Testing
import VitalSigns

/// One reading per patient and instant: what a message does to the row stored under its key.
@Suite struct FoldTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let stored: String
        let message: String
        let verdict: Verdict
        let row: String
        let replaced: String

        init(_ stored: String, _ message: String, _ verdict: Verdict, _ row: String, replaced: String = "") {
            (self.stored, self.message, self.verdict, self.row, self.replaced) =
                (stored, message, verdict, row, replaced)
        }

        var testDescription: String { "\(stored) + \(message)" }
    }

    static let table: [Case] = [
        // The same again, wherever it stands, and less than what is known: nothing new; the source stays.
        Case("H60 T37 @0:5", "H60 T37 @0:5", .duplicate, "H60 T37 @0:5"),
        Case("H60 T37 @0:5", "H60 T37 @0:9", .duplicate, "H60 T37 @0:5"),
        Case("H60 T37 @0:5", "H60 T37 @0:1", .duplicate, "H60 T37 @0:5"),
        Case("H60 T37 @0:5", "T37 @1:0", .duplicate, "H60 T37 @0:5"),
        // What was absent is added; an absent value erases nothing; only a later message becomes the source.
        Case("H60 @0:5", "T37 @0:9", .merged, "H60 T37 @0:9"),
        Case("H60 @0:5", "H60 S97 @0:9", .merged, "H60 S97 @0:9"),
        Case("H60 @0:5", "S97 @0:3", .merged, "H60 S97 @0:5"),
        Case("H60 @1:5", "S97 @0:9", .merged, "H60 S97 @1:5"),
        Case("H60 @1:5", "R16 Y120 D80 @2:0", .merged, "H60 R16 Y120 D80 @2:0"),
        // A later message replaces; the greater partition is later, whatever the offset.
        Case("H60 @0:5", "H61 @0:9", .corrected, "H61 @0:9", replaced: "H"),
        Case("H60 T37 @0:5", "H61 @0:9", .corrected, "H61 T37 @0:9", replaced: "H"),
        Case("H60 T37 @0:5", "H61 T38 @0:9", .corrected, "H61 T38 @0:9", replaced: "HT"),
        Case("H60 @0:900", "H61 @1:0", .corrected, "H61 @1:0", replaced: "H"),
        // Changing and adding at once is a correction; only what was stored is replaced.
        Case("H60 @0:5", "H61 T37 @0:9", .corrected, "H61 T37 @0:9", replaced: "H"),
        Case("H60 T37 @0:5", "H60 T38 S97 @0:9", .corrected, "H60 T38 S97 @0:9", replaced: "T"),
        // An earlier message (or one at the same place) changes no value, but fills absences; the source stays.
        Case("H60 @0:5", "H61 @0:3", .stale, "H60 @0:5"),
        Case("H60 @0:5", "H61 @0:5", .stale, "H60 @0:5"),
        Case("H60 @1:0", "H61 @0:900", .stale, "H60 @1:0"),
        Case("H60 @0:5", "H61 T37 @0:3", .stale, "H60 T37 @0:5"),
        // Categories are vital signs like the numbers, and independent of each other.
        Case("cA @0:5", "cA @0:9", .duplicate, "cA @0:5"),
        Case("cA @0:5", "cV @0:9", .corrected, "cV @0:9", replaced: "c"),
        Case("cU @0:5", "cA @0:3", .stale, "cU @0:5"),
        Case("H60 @0:5", "cP @0:9", .merged, "H60 cP @0:9"),
        Case("H60 o1 @0:5", "o1 @0:9", .duplicate, "H60 o1 @0:5"),
        Case("o1 @0:5", "o0 @0:9", .corrected, "o0 @0:9", replaced: "o"),
        Case("o0 @0:5", "o1 @0:9", .corrected, "o1 @0:9", replaced: "o"),
        Case("o0 @0:5", "cC @0:9", .merged, "cC o0 @0:9"),
        Case("cC @0:5", "o0 @0:9", .merged, "cC o0 @0:9"),
        Case("cC o1 @0:5", "cA o1 @0:9", .corrected, "cA o1 @0:9", replaced: "c"),
        Case("cC o1 @0:5", "cA o0 H60 @0:9", .corrected, "H60 cA o0 @0:9", replaced: "co"),
        // Zero is a value: stored, compared and replaced like any other.
        Case("H0 @0:5", "H0 @0:9", .duplicate, "H0 @0:5"),
        Case("H0 @0:5", "T37 @0:9", .merged, "H0 T37 @0:9"),
        Case("H60 @0:5", "H0 @0:9", .corrected, "H0 @0:9", replaced: "H"),
        // The origin is filled once, by any message, and never counts as a change nor moves the source.
        Case("H60 @0:5", "H60 @0:9 #4", .duplicate, "H60 @0:5 #4"),
        Case("H60 @0:5", "H61 @0:3 #4", .stale, "H60 @0:5 #4"),
        Case("H60 @0:5 #4", "H60 @0:9 #6", .duplicate, "H60 @0:5 #4"),
        Case("H60 @0:5 #4", "H61 T37 @0:9 #6", .corrected, "H61 T37 @0:9 #4", replaced: "H"),
        Case("H60 @0:5 #4", "T37 @0:9", .merged, "H60 T37 @0:9 #4"),
    ]

    @Test(arguments: table)
    func `a message does to a row what the contract says`(row: Case) {
        let before = ReadingPicture.reading(row.stored)
        var reading = before
        let outcome = reading.apply(ReadingPicture.reading(row.message))
        #expect(outcome.verdict == row.verdict)
        #expect(ReadingPicture.of(reading) == row.row)
        #expect(ReadingPicture.names(ofPresence: outcome.replaced) == row.replaced)
        #expect(outcome.changedRow == (row.stored != row.row))
        #expect(reading.hasSameKey(as: before))
        #expect(ReadingPicture.hasCleanAbsences(reading))
    }

    static let retried: [Case] = [
        // A letter judged again: later than what is stored, yet its values yield to other values.
        Case("H60 @0:5", "H61 @0:9", .stale, "H60 @0:5"),
        Case("H60 @0:5", "H61 T37 @0:9", .stale, "H60 T37 @0:9"),
        Case("cA o1 @0:5", "cV o0 @0:9", .stale, "cA o1 @0:5"),
        Case("H60 @0:5", "T37 @0:9", .merged, "H60 T37 @0:9"),
        Case("H60 @0:5", "H60 @0:9", .duplicate, "H60 @0:5"),
    ]

    @Test(arguments: retried)
    func `what never corrects is stale against another value`(row: Case) {
        var reading = ReadingPicture.reading(row.stored)
        let outcome = reading.apply(ReadingPicture.reading(row.message), neverCorrects: true)
        #expect(outcome.verdict == row.verdict)
        #expect(outcome.replaced == 0)
        #expect(ReadingPicture.of(reading) == row.row)
    }

    @Test func `every one of the eight vital signs is compared, added and replaced by itself`() {
        let first = ["H60", "T37", "S97", "R16", "Y120", "D80", "cA", "o1"]
        let other = ["H61", "T38", "S98", "R17", "Y121", "D81", "cV", "o0"]
        for index in 0..<8 {
            let bit: UInt8 = 1 << UInt8(index)
            let all = ReadingPicture.reading(first.joined(separator: " ") + " @0:5")
            var one = all
            #expect(one.apply(ReadingPicture.reading(other[index] + " @0:9")).replaced == bit)
            var expected = first
            expected[index] = other[index]
            #expect(ReadingPicture.of(one) == expected.joined(separator: " ") + " @0:9")
            var rest = first
            rest.remove(at: index)
            var lacking = ReadingPicture.reading(rest.joined(separator: " ") + " @0:5")
            #expect(lacking.apply(ReadingPicture.reading(first[index] + " @0:4")).verdict == .merged)
            #expect(ReadingPicture.of(lacking) == ReadingPicture.of(all))
        }
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func `reading a log again from any place changes nothing, bit for bit`(seed: UInt64) {
        var numbers = SeededNumbers(seed: seed)
        var violations: [String] = []
        for _ in 0..<100 {
            let count = 1 + numbers.below(12)
            let log = (0..<count).map { numbers.reading(patients: 1, instants: 1, partition: 3, offset: Int64($0)) }
            var row = log[0]
            // A lane may fall back any number of times on its way through the log.
            var position = 1
            while position < count {
                _ = row.apply(log[position])
                position += 1
                if numbers.oneIn(4) {
                    let back = numbers.below(position)
                    let before = ReadingPicture.of(row)
                    for again in log[back..<position] {
                        let outcome = row.apply(again)
                        if outcome.changedRow || outcome.replaced != 0 || outcome.verdict == .merged {
                            violations.append("\(before) + \(ReadingPicture.of(again))")
                        }
                    }
                    if ReadingPicture.of(row) != before { violations.append(before) }
                }
            }
            if !ReadingPicture.hasCleanAbsences(row) { violations.append(ReadingPicture.of(row)) }
        }
        #expect(violations.isEmpty)
    }
}
