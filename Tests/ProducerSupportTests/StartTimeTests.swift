import ProducerSupport
import Testing

@Suite struct StartTimeTests {
    static let times: [(String, Int64)] = [
        ("1970-01-01T00:00:00Z", 0), ("2026-01-31T09:05:01Z", 1_769_850_301_000),
        // Around leap days: 2000 has one, 2100 has none.
        ("2000-02-29T23:59:59Z", 951_868_799_000), ("2000-03-01T00:00:00Z", 951_868_800_000),
        ("2100-03-01T00:00:00Z", 4_107_542_400_000), ("1767225600000", 1_767_225_600_000), ("now", 77),
    ]

    @Test(arguments: times)
    func `a time is read`(text: String, milliseconds: Int64) {
        #expect(StartTime.milliseconds(of: text, now: 77) == milliseconds)
    }

    @Test(arguments: [
        "", "yesterday", "2026-01-31", "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
        "2026-01-01 00:00:00Z", "2026-01-01T00:00:00+", "+026-01-01T00:00:00Z",
    ])
    func `anything else is not`(text: String) {
        #expect(StartTime.milliseconds(of: text, now: 77) == nil)
    }
}
