internal import Service

/// Kafka headers as the JSON array that `bronze.dead_letter.headers` holds: [[name, value], ...] in their order.
///
/// jsonb holds text without U+0000, so a value that is not such text is written as {"base64": "..."}.
enum HeaderText {
    /// Appends the array, or nothing when there are no headers.
    static func append(
        to arena: inout [UInt8],
        _ forEach: ((UnsafePointer<CChar>, UnsafeRawBufferPointer?) -> Void) -> Void
    ) {
        var count = 0
        var text: [UInt8] = []
        unsafe forEach { name, value in
            text.append(UInt8(ascii: count == 0 ? "[" : ","))
            text.append(UInt8(ascii: "["))
            appendString(unsafe String(cString: name), to: &text)
            text.append(UInt8(ascii: ","))
            if let value = unsafe value { unsafe appendValue(value, to: &text) } else { text += Array("null".utf8) }
            text.append(UInt8(ascii: "]"))
            count += 1
        }
        guard count > 0 else { return }
        text.append(UInt8(ascii: "]"))
        arena += text
    }

    private static func appendValue(_ bytes: UnsafeRawBufferPointer, to text: inout [UInt8]) {
        if let string = unsafe String(validating: bytes, as: UTF8.self), !string.utf8.contains(0) {
            appendString(string, to: &text)
            return
        }
        text += Array("{\"base64\":\"".utf8)
        unsafe appendBase64(bytes, to: &text)
        text += Array("\"}".utf8)
    }

    private static func appendString(_ string: String, to text: inout [UInt8]) {
        text.append(UInt8(ascii: "\""))
        for byte in string.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                text.append(UInt8(ascii: "\\"))
                text.append(byte)
            case 0..<0x20:
                text += Array("\\u00".utf8)
                text.append(Array("0123456789abcdef".utf8)[Int(byte >> 4)])
                text.append(Array("0123456789abcdef".utf8)[Int(byte & 0xF)])
            default:
                text.append(byte)
            }
        }
        text.append(UInt8(ascii: "\""))
    }

    private static func appendBase64(_ bytes: UnsafeRawBufferPointer, to text: inout [UInt8]) {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var position = 0
        while position < bytes.count {
            let left = min(3, bytes.count - position)
            var word: UInt32 = 0
            for offset in 0..<3 {
                word = word << 8 | (offset < left ? UInt32(unsafe bytes[position + offset]) : 0)
            }
            for digit in 0..<4 {
                text.append(digit <= left ? alphabet[Int(word >> UInt32(18 - 6 * digit) & 63)] : UInt8(ascii: "="))
            }
            position += 3
        }
    }
}
