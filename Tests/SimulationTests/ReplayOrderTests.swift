import Simulation
import Testing

@Suite struct ReplayOrderTests {
    @Test func `the same seed shuffles alike, another one differently`() throws {
        let first = try #require(ReplayOrder(lineCount: 500, repeats: 2, seed: 1))
        let again = try #require(ReplayOrder(lineCount: 500, repeats: 2, seed: 1))
        let other = try #require(ReplayOrder(lineCount: 500, repeats: 2, seed: 2))
        #expect((0..<1_000).map { first[$0] } == (0..<1_000).map { again[$0] })
        #expect((0..<1_000).map { first[$0] } != (0..<1_000).map { other[$0] })
    }

    @Test func `every line comes as often as wanted, mixed with the others`() throws {
        let order = try #require(ReplayOrder(lineCount: 100, repeats: 3, seed: 1))
        var seen = [Int](repeating: 0, count: 100)
        for place in 0..<order.count { seen[order[place]] += 1 }
        #expect(seen == [Int](repeating: 3, count: 100))
        // A repeat that began after the other had ended would show all lines in the first third.
        #expect(Set((0..<100).map { order[$0] }).count < 100)
    }

    @Test func `what would not fit into memory is refused`() {
        #expect(ReplayOrder(lineCount: ReplayOrder.limit, repeats: 2, seed: 1) == nil)
        #expect(ReplayOrder(lineCount: .max, repeats: .max, seed: 1) == nil)
        #expect(ReplayOrder(lineCount: 0, repeats: 5, seed: 1)?.count == 0)
    }
}
