import PatientFlow
import Testing

/// The wall clock of these tests is in milliseconds of its own; event time is the picture's.
@Suite struct WatermarkTests {
    private let settings = Watermark.Settings()

    @Test func `it follows the newest event at a distance and never goes back`() {
        var watermark = Watermark(settings)
        #expect(watermark.instant == nil && !watermark.hasPassed(0))
        watermark.hear(nil, now: 0)
        #expect(watermark.instant == nil)
        watermark.hear(at("10:00"), now: 1)
        #expect(watermark.instant == at("09:50"))
        watermark.hear(at("09:00"), now: 2)
        #expect(watermark.instant == at("09:50"))
        watermark.hear(at("10:15"), now: 3)
        #expect(watermark.instant == at("10:05"))
        #expect(watermark.hasPassed(at("10:05")) && !watermark.hasPassed(at("10:05") + 1))
    }

    // now      0      60 s            180 s        200 s: a late event   260 s        290 s
    //          heard  |--- 2 min of waiting --|    |------ idle -----|-- 30 s of it --|
    // instant  9:50   9:50            9:52         9:52                  9:52         9:52:30
    @Test func `a quiet partition goes on by the time waited`() {
        var watermark = Watermark(settings)
        watermark.hear(at("10:00"), now: 0)
        watermark.wait(now: 60_000)
        #expect(watermark.instant == at("09:50"))
        watermark.wait(now: 180_000)
        #expect(watermark.instant == at("09:52"))
        // A clock that goes back, and the same moment again, change nothing.
        watermark.wait(now: 100_000)
        watermark.wait(now: 180_000)
        #expect(watermark.instant == at("09:52"))
        watermark.hear(at("09:00"), now: 200_000)
        watermark.wait(now: 260_000)
        #expect(watermark.instant == at("09:52"))
        watermark.wait(now: 290_000)
        #expect(watermark.instant == at("09:52:30"))
    }

    @Test func `an event counts from where waiting has led to, and any message ends an idle time`() {
        var watermark = Watermark(settings)
        watermark.hear(at("10:00"), now: 0)
        watermark.wait(now: 660_000)
        #expect(watermark.instant == at("10:00"))
        // Its distance leads back to 9:55: not followed.
        watermark.hear(at("10:05"), now: 660_000)
        #expect(watermark.instant == at("10:00"))
        watermark.hear(at("10:12"), now: 660_001)
        #expect(watermark.instant == at("10:02"))
        watermark.hear(nil, now: 720_000)
        watermark.wait(now: 780_000)
        #expect(watermark.instant == at("10:02"))
        watermark.wait(now: 781_000)
        #expect(watermark.instant == at("10:02:01"))
    }

    @Test func `nothing is known before the first event, and what is handed over is kept`() {
        var watermark = Watermark(settings)
        watermark.wait(now: 1 << 40)
        #expect(watermark.instant == nil)
        var resumed = Watermark(settings, instant: at("10:00"))
        // Idle time is counted from a message that this one has seen.
        resumed.wait(now: 1 << 40)
        #expect(resumed.instant == at("10:00"))
        resumed.hear(at("09:00"), now: 1 << 40)
        #expect(resumed.instant == at("10:00") && resumed.hasPassed(at("10:00")))
    }
}
