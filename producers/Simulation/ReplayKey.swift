/// Finds what a replay needs of a line: the Kafka key, which is the value of one field, and the event time.
public enum ReplayKey {
    /// Where the value stands in `line`, nil when there is none: the line is no object, has no such field at its
    /// outer level, or the value is not a plain string.
    ///
    /// Reads up to the field and no further, but for the closing brace: it chooses a partition, it does not judge
    /// JSON. A line cut in the middle has no key.
    /// - Complexity: linear in what stands before the field.
    public static func range(in line: UnsafeRawBufferPointer, field: StaticString = "patientId") -> Range<Int>? {
        find(field, in: line) { stringValue(line, from: $0) }
    }

    /// The value of `timestamp` when it is a whole number that fits, else nil; as above.
    public static func timestamp(in line: UnsafeRawBufferPointer) -> Int64? {
        find("timestamp", in: line) { wholeNumber(line, from: $0) }
    }

    /// What `read` makes of the field's value, which begins at the place it is given; goes on while that is nil.
    private static func find<Value>(
        _ field: StaticString, in line: UnsafeRawBufferPointer, _ read: (_ start: Int) -> Value?
    ) -> Value? {
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
                if depth == 1, isName(field, line, place + 1..<end), let start = valueStart(line, after: end + 1),
                    let value = read(start)
                {
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

    private static func isName(
        _ name: StaticString, _ line: UnsafeRawBufferPointer, _ range: Range<Int>
    ) -> Bool {
        guard range.count == name.utf8CodeUnitCount else { return false }
        return range.allSatisfy { line[$0] == name.utf8Start[$0 - range.lowerBound] }
    }

    /// What follows a colon; a name that stands as a value elsewhere has no colon after it.
    private static func valueStart(_ line: UnsafeRawBufferPointer, after start: Int) -> Int? {
        let colon = skipBlanks(line, from: start)
        guard colon < line.count, line[colon] == UInt8(ascii: ":") else { return nil }
        let place = skipBlanks(line, from: colon + 1)
        return place < line.count ? place : nil
    }

    private static func wholeNumber(_ line: UnsafeRawBufferPointer, from place: Int) -> Int64? {
        let rest = line[place...].prefix { byte in
            !isBlank(byte) && byte != UInt8(ascii: ",") && byte != UInt8(ascii: "}")
        }
        return Int64(String(decoding: rest, as: UTF8.self))
    }

    private static func stringValue(_ line: UnsafeRawBufferPointer, from place: Int) -> Range<Int>? {
        guard line[place] == UInt8(ascii: "\"") else { return nil }
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
