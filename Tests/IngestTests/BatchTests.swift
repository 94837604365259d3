import Ingest
import Testing

/// The batch as a vessel; what goes through it is tested with the lane.
@Suite struct BatchTests {
    @Test func `an emptied batch counts as another filling`() {
        let batch = Batch(capacity: 512)
        let first = batch.filling
        batch.readingCount = 7
        batch.reset()
        #expect(batch.readingCount == 0)
        #expect(batch.filling != first)
    }
}
