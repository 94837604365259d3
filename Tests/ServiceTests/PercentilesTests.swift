import Service
import Testing

@Suite struct PercentilesTests {
    @Test func `an empty histogram answers zero`() {
        let empty = Percentiles()
        #expect(empty.count == 0)
        #expect(empty.value(at: 0.5) == 0)
        #expect(empty.max == 0 && empty.min == 0 && empty.mean == 0)
    }

    @Test func `small values are exact`() {
        var histogram = Percentiles()
        for value in 1...100 { histogram.record(Int64(value)) }
        #expect(histogram.value(at: 0.5) == 50)
        #expect(histogram.value(at: 0.99) == 99)
        #expect(histogram.value(at: 1) == 100)
        #expect(histogram.value(at: 0) == 1)
        #expect(histogram.mean == 50.5)
    }

    @Test(arguments: [1, 2, 3, 4])
    func `every value is kept within the promised digits`(digits: Int) {
        var allowed = 1.0
        for _ in 0..<digits { allowed /= 10 }
        var value: Int64 = 1
        while value < 1 << 40 {
            // Beside a greater one, so that the exact maximum does not help.
            var histogram = Percentiles(digits: digits)
            histogram.record(value)
            histogram.record(1 << 40)
            let error = Double(histogram.value(at: 0.5) - value) / Double(value)
            #expect(error >= 0 && error <= allowed, "value \(value)")
            value = value * 3 + 1
        }
    }

    @Test func `a percentile of a long tail is found`() {
        var histogram = Percentiles(digits: 3)
        histogram.record(1_000, times: 990)
        histogram.record(1_000_000, times: 10)
        #expect(histogram.count == 1_000)
        #expect(histogram.value(at: 0.99) == 1_000)
        #expect(histogram.value(at: 0.991) == 1_000_000)
    }

    @Test func `what is out of range is counted at its end, and the maximum stays exact`() {
        var histogram = Percentiles(highest: 1_000, digits: 2)
        histogram.record(-5)
        histogram.record(50_000)
        histogram.record(7, times: 0)
        #expect(histogram.count == 2)
        #expect(histogram.min == 0)
        #expect(histogram.max == 50_000)
        #expect(histogram.value(at: 0.5) == 0)
        #expect(histogram.value(at: 1) >= 1_000)
    }

    @Test func `merging is as recording all in one`() {
        var left = Percentiles()
        var right = Percentiles()
        var whole = Percentiles()
        var state: UInt64 = 42
        for index in 0..<2_000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let value = Int64(state >> 34)
            if index % 3 == 0 { left.record(value) } else { right.record(value) }
            whole.record(value)
        }
        left.merge(right)
        #expect(left.count == whole.count)
        #expect(left.max == whole.max && left.min == whole.min)
        for share in [0.01, 0.5, 0.9, 0.99, 0.999] { #expect(left.value(at: share) == whole.value(at: share)) }
    }

    @Test func `a reset histogram is as new`() {
        var histogram = Percentiles()
        histogram.record(9)
        histogram.reset()
        #expect(histogram.count == 0)
        #expect(histogram.value(at: 1) == 0)
        histogram.record(3)
        #expect(histogram.max == 3 && histogram.min == 3)
    }
}

@Suite struct UUIDBytesTests {
    @Test func `text and bytes say the same`() throws {
        let uuid = try #require(UUIDBytes(text: "01234567-89AB-cdef-0123-456789abcdef"))
        #expect(uuid.high == 0x0123_4567_89AB_CDEF)
        #expect(uuid.low == 0x0123_4567_89AB_CDEF)
        #expect(uuid.text == "01234567-89ab-cdef-0123-456789abcdef")
    }

    @Test(arguments: [
        "", "0123456789abcdef0123456789abcdef", "01234567-89ab-cdef-0123-456789abcde",
        "é1234567-89ab-cdef-0123-456789abcde", "01234567-89ab-cdef-0123-456789abcdef0",
        "g1234567-89ab-cdef-0123-456789abcdef", "{1234567-89ab-cdef-0123-456789abcde}",
        "01234567-89ab-cdef-0123+456789abcdef",
    ])
    func `only the canonical form is read`(text: String) {
        #expect(UUIDBytes(text: text) == nil)
    }

    @Test func `random numbers are of version 4 and differ`() {
        let made = Set((0..<1_000).map { _ in UUIDBytes.random() })
        #expect(made.count == 1_000)
        #expect(made.allSatisfy { $0.high >> 12 & 15 == 4 && $0.low >> 62 == 2 })
    }

    @Test func `the order is that of the bytes`() {
        #expect(UUIDBytes(high: 1, low: .max) < UUIDBytes(high: 2, low: 0))
        #expect(UUIDBytes(high: 1, low: 1) < UUIDBytes(high: 1, low: 2))
    }
}
