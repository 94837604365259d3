/// Finds the Kafka key of a line of a replayed file: the value of its field `patientId`.
public enum ReplayKey {
    /// Where the value stands in `line`, nil when there is none: the line is no object, has no such field at its
    /// outer level, or the value is not a plain string.
    ///
    /// Reads up to the field and no further, but for the closing brace: it chooses a partition, it does not judge
    /// JSON. A line cut in the middle has no key.
    /// - Complexity: linear in what stands before the field.
    public static func range(in line: UnsafeRawBufferPointer) -> Range<Int>? {
        guard let last = line.lastIndex(where: { !isBlank($0) }), line[last] == UInt8(ascii: "}"),
            let first = line.firstIndex(where: { !isBlank($0) }), line[first] == UInt8(ascii: "{")
        else { return nil }
        var place = first
        var depth = 0
        while place <= last {
            switch line[place] {
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: "\""):
                let end = endOfString(line, from: place + 1)
                if depth == 1, isName(line, place + 1..<end), let value = stringValue(line, after: end + 1) {
                    return value
                }
                place = end
            default: break
            }
            place += 1
        }
        return nil
    }

    /// Index of the closing quote, or of the end.
    private static func endOfString(_ line: UnsafeRawBufferPointer, from start: Int) -> Int {
        var place = start
        while place < line.count, line[place] != UInt8(ascii: "\"") {
            place += line[place] == UInt8(ascii: "\\") ? 2 : 1
        }
        return min(place, line.count)
    }

    private static func isName(_ line: UnsafeRawBufferPointer, _ range: Range<Int>) -> Bool {
        let name: StaticString = "patientId"
        guard range.count == name.utf8CodeUnitCount else { return false }
        return range.allSatisfy { line[$0] == name.utf8Start[$0 - range.lowerBound] }
    }

    /// The string that follows a colon; a name that stands as a value elsewhere has no colon after it.
    private static func stringValue(_ line: UnsafeRawBufferPointer, after start: Int) -> Range<Int>? {
        var place = skipBlanks(line, from: start)
        guard place < line.count, line[place] == UInt8(ascii: ":") else { return nil }
        place = skipBlanks(line, from: place + 1)
        guard place < line.count, line[place] == UInt8(ascii: "\"") else { return nil }
        let end = endOfString(line, from: place + 1)
        guard end < line.count, !line[place + 1..<end].contains(UInt8(ascii: "\\")) else { return nil }
        return place + 1..<end
    }

    private static func skipBlanks(_ line: UnsafeRawBufferPointer, from start: Int) -> Int {
        var place = start
        while place < line.count, isBlank(line[place]) { place += 1 }
        return place
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
            || byte == UInt8(ascii: "\n")
    }
}
