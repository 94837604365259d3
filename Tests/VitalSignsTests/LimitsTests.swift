import Testing
import VitalSigns

@Suite struct LimitsTests {
    /// Field, value as JSON, expected code. The contract's table, at and just beyond each limit.
    static let table: [(String, String, String)] = [
        ("heartRate", "0", "accepted"), ("heartRate", "-0.001", "out_of_range"),
        ("heartRate", "300", "accepted"), ("heartRate", "300.00000000000006", "out_of_range"),
        ("oxygenSaturation", "0", "accepted"), ("oxygenSaturation", "-1", "out_of_range"),
        ("oxygenSaturation", "100", "accepted"), ("oxygenSaturation", "100.000000000000005", "accepted"),
        ("oxygenSaturation", "100.00000000000001", "out_of_range"),
        ("temperature", "10", "accepted"), ("temperature", "9.999999999", "out_of_range"),
        ("temperature", "50", "accepted"), ("temperature", "50.00000000000001", "out_of_range"),
        ("temperature", "69.99", "out_of_range"), ("temperature", "70", "temperature_fahrenheit_suspected"),
        ("temperature", "98.6", "temperature_fahrenheit_suspected"),
        ("temperature", "120", "temperature_fahrenheit_suspected"), ("temperature", "120.01", "out_of_range"),
        ("respiratoryRate", "0", "accepted"), ("respiratoryRate", "-0.1", "out_of_range"),
        ("respiratoryRate", "120", "accepted"), ("respiratoryRate", "120.1", "out_of_range"),
        ("systolicPressure", "0", "accepted"), ("systolicPressure", "-1", "out_of_range"),
        ("systolicPressure", "400", "accepted"), ("systolicPressure", "401", "out_of_range"),
        ("diastolicPressure", "0", "accepted"), ("diastolicPressure", "-1", "out_of_range"),
        ("diastolicPressure", "300", "accepted"), ("diastolicPressure", "301", "out_of_range"),
    ]

    @Test(arguments: table)
    func `limits include their ends and are checked before rounding to float`(
        field: String, value: String, code: String
    ) {
        let verdict = decode(vitals("\"\(field)\":\(value)"))
        #expect(verdict.code == code)
        if code != "accepted" { #expect(verdict.detail == "\(code): \(field)") }
    }

    @Test(arguments: [
        ("120", "80", "accepted"), ("80", "80", "pressure_inverted"), ("80", "79.9", "accepted"),
        ("0", "0", "pressure_inverted"), ("80", "80.00000000000001", "pressure_inverted"),
    ])
    func `diastolic pressure is below systolic`(systolic: String, diastolic: String, code: String) {
        let members = "\"systolicPressure\":\(systolic),\"diastolicPressure\":\(diastolic)"
        #expect(decode(vitals(members)).code == code)
    }

    /// Index of the vital sign, value, whether it is flagged.
    @Test(arguments: [
        (0, 19.99, true), (0, 20, false), (0, 250, false), (0, 250.1, true), (0, 0, true),
        (1, 29.9, true), (1, 30, false), (1, 43, false), (1, 43.1, true),
        (2, 49.9, true), (2, 50, false), (2, 100, false),
        (3, 3.9, true), (3, 4, false), (3, 70, false), (3, 70.1, true),
        (4, 29.9, true), (4, 30, false), (4, 300, false), (4, 300.1, true),
        (5, 9.9, true), (5, 10, false), (5, 200, false), (5, 200.1, true),
    ])
    func `a doubtful value sets its own bit and no other`(index: Int, value: Float, flagged: Bool) {
        var values: [6 of Float] = [80, 37, 97, 16, 120, 80]
        values[index] = value
        #expect(Limits.suspectMask(values: values, presence: 0xFF) == (flagged ? 1 << UInt8(index) : 0))
    }

    @Test func `an absent value is never suspect`() {
        let nothing: [6 of Float] = [0, 0, 0, 0, 0, 0]
        #expect(Limits.suspectMask(values: nothing, presence: 0xC0) == 0)
        #expect(Limits.suspectMask(values: nothing, presence: 0b0000_0101) == 0b0000_0101)
        #expect(Limits.suspectMask(values: nothing, presence: 0xFF) == 0b0011_1111)
    }
}
