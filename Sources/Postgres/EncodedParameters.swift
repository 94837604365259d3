internal import CLibPQ

/// Parameters of one statement in the shape that `PQsendQueryParams` takes.
struct EncodedParameters {
    private var bytes: [UInt8] = []
    private var offsets: [Int] = []
    private var types: [Oid] = []
    private var lengths: [Int32] = []
    private var formats: [Int32] = []

    init(_ parameters: [Parameter]) {
        for parameter in parameters { append(parameter) }
    }

    /// 1 when libpq took it. libpq-fe.h: all arrays are copied into the output buffer before the call returns.
    func send(_ sql: String, on handle: OpaquePointer, binaryResult: Bool) -> Int32 {
        unsafe bytes.withUnsafeBytes { storage in
            let values: [UnsafePointer<CChar>?] = unsafe offsets.map { offset in
                offset < 0
                    ? nil : unsafe storage.baseAddress?.advanced(by: offset).assumingMemoryBound(to: CChar.self)
            }
            return unsafe sql.withCString { text in
                unsafe PQsendQueryParams(
                    handle, text, Int32(values.count), types, values, lengths, formats, binaryResult ? 1 : 0)
            }
        }
    }

    private mutating func append(_ parameter: Parameter) {
        offsets.append(bytes.count)
        let start = bytes.count
        var type = TypeID.unspecified
        var format: Int32 = 1
        switch parameter {
        case .null:
            offsets[offsets.count - 1] = -1
        case .text(let text):
            format = 0
            bytes.append(contentsOf: text.utf8)
        case .int64(let value):
            type = .int8
            Wire.append(value, to: &bytes)
        case .int32(let value):
            type = .int4
            Wire.append(value, to: &bytes)
        case .boolean(let value):
            type = .boolean
            bytes.append(value ? 1 : 0)
        case .uuid(let high, let low):
            type = .uuid
            Wire.append(high, to: &bytes)
            Wire.append(low, to: &bytes)
        case .timestamp(let milliseconds):
            type = .timestamp
            Wire.append(Wire.timestamp(milliseconds: milliseconds), to: &bytes)
        case .bytes(let value):
            type = .bytes
            bytes.append(contentsOf: value)
        case .binary(let valueType, let value):
            type = valueType
            bytes.append(contentsOf: value)
        }
        types.append(type.rawValue)
        lengths.append(Int32(bytes.count - start))
        formats.append(format)
        // Text is read up to its NUL, and an empty value needs an address too.
        bytes.append(0)
    }
}
