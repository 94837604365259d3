import Postgres
import Service
import Testing

extension OnAServer {
    struct ParameterTests {
        @Test func `values of every type come back as they were sent`() throws {
            var connection = try TestDatabase.empty().open()
            let id = UUIDBytes.random()
            let result = try connection.query(
                "SELECT $1, $2, $3, $4, $5, $6, $7::text, $8::integer, 1.5::real, 2.25::float8, 3::smallint",
                parameters: [
                    .int64(.min), .int32(-5), .boolean(true), .uuid(high: id.high, low: id.low),
                    .timestamp(milliseconds: 1_767_225_600_123), .bytes([0, 255, 7]), .text("grün"), .null,
                ])
            #expect(result.int64(0, 0) == .min)
            #expect(result.int64(0, 1) == -5)
            #expect(result.boolean(0, 2) == true)
            #expect(result.uuid(0, 3) == (id.high, id.low))
            #expect(result.text(0, 3) == id.text)
            #expect(result.int64(0, 4) == 1_767_225_600_123)
            #expect(result.withBytes(0, 5) { Array($0) } == [0, 255, 7])
            #expect(result.text(0, 6) == "grün")
            #expect(result.isNull(0, 7) == true)
            #expect(result.int64IfPresent(0, 7) == nil)
            #expect(result.double(0, 8) == 1.5 && result.text(0, 8) == "1.5")
            #expect(result.double(0, 9) == 2.25)
            #expect(result.int64(0, 10) == 3 && result.text(0, 10) == "3")
        }

        @Test(arguments: [1, 0, -1, -999, 999, 253_402_300_799_999, -62_135_596_800_000] as [Int64])
        func `a time keeps its milliseconds`(milliseconds: Int64) throws {
            var connection = try TestDatabase.empty().open()
            let result = try connection.query(
                "SELECT $1::timestamptz, (extract(epoch FROM $1::timestamptz) * 1000)::bigint",
                parameters: [.timestamp(milliseconds: milliseconds)])
            #expect(result.int64(0, 0) == milliseconds)
            #expect(result.int64(0, 1) == milliseconds)
        }

        @Test func `arrays are unnested as they were built`() throws {
            var connection = try TestDatabase.empty().open()
            var ids = BinaryArrayEncoder(elementType: .uuid)
            var times = BinaryArrayEncoder(elementType: .timestamp)
            var names = BinaryArrayEncoder(elementType: .text)
            var numbers = BinaryArrayEncoder(elementType: .int8)
            let patients = (0..<1000).map { _ in UUIDBytes.random() }
            for (index, patient) in patients.enumerated() {
                ids.append(uuidHigh: patient.high, low: patient.low)
                times.append(milliseconds: 1_767_225_600_000 + Int64(index))
                names.append(bytes: "bed \(index)".utf8)
                if index == 3 { numbers.appendNull() } else { numbers.append(Int64(index)) }
            }
            let result = try connection.query(
                "SELECT * FROM unnest($1, $2, $3, $4) WITH ORDINALITY ORDER BY ordinality",
                parameters: [ids.parameter(), times.parameter(), names.parameter(), numbers.parameter()])
            #expect(result.rowCount == 1000)
            for (index, patient) in patients.enumerated() {
                #expect(result.uuid(index, 0) == (patient.high, patient.low))
                #expect(result.int64(index, 1) == 1_767_225_600_000 + Int64(index))
                #expect(result.text(index, 2) == "bed \(index)")
                #expect(result.int64IfPresent(index, 3) == (index == 3 ? nil : Int64(index)))
            }
        }

        @Test func `an emptied encoder is an empty array, and can be filled again`() throws {
            var connection = try TestDatabase.empty().open()
            var encoder = BinaryArrayEncoder(elementType: .int4)
            encoder.append(Int32(1))
            encoder.appendNull()
            encoder.removeAll()
            #expect(encoder.count == 0)
            #expect(try connection.query("SELECT cardinality($1)", parameters: [encoder.parameter()]).int64(0, 0) == 0)
            encoder.append(Int32(42))
            #expect(try connection.query("SELECT ($1)[1]", parameters: [encoder.parameter()]).int64(0, 0) == 42)
        }
    }
}
