import HTTP
import Service
import TestSupport
import Testing

struct ConnectionTableTests {
    private func second(_ seconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: seconds * 1_000_000_000) }

    @Test func `whoever came first is cut first, and only when the time is over`() {
        // 0 s: A, B    2 s: C    every one has 5 s
        var table = ConnectionTable(exchange: .seconds(5))
        _ = table.open(socket: 10, at: second(0))
        _ = table.open(socket: 11, at: second(0))
        _ = table.open(socket: 12, at: second(2))
        #expect(table.nextDeadline == Deadline(at: second(5)))
        #expect(table.takeOverdue(at: second(4)) == nil)
        #expect(table.takeOverdue(at: second(5)) == 10)
        #expect(table.takeOverdue(at: second(5)) == 11)
        #expect(table.takeOverdue(at: second(5)) == nil)
        #expect(table.nextDeadline == Deadline(at: second(7)))
    }

    @Test func `a cut connection is cut once and stays open until it is closed`() {
        var table = ConnectionTable(exchange: .seconds(5))
        let slot = table.open(socket: 10, at: second(0))
        #expect(table.takeOverdue(at: second(9)) == 10)
        #expect(table.takeOverdue(at: second(99)) == nil)
        #expect(table.openCount == 1 && table.listedCount == 0)
        table.close(slot)
        #expect(table.openCount == 0)
    }

    @Test func `an answer begins a new exchange behind all others`() {
        var table = ConnectionTable(exchange: .seconds(5))
        let first = table.open(socket: 10, at: second(0))
        _ = table.open(socket: 11, at: second(1))
        table.exchangeFinished(first, at: second(3))
        #expect(table.takeOverdue(at: second(6)) == 11)
        #expect(table.takeOverdue(at: second(7)) == nil)
        #expect(table.takeOverdue(at: second(8)) == 10)
    }

    @Test func `an answer that ends after the cut gives no new time`() {
        var table = ConnectionTable(exchange: .seconds(5))
        let slot = table.open(socket: 10, at: second(0))
        #expect(table.takeOverdue(at: second(5)) == 10)
        table.exchangeFinished(slot, at: second(5))
        #expect(table.nextDeadline == nil)
    }

    @Test func `a part of a body is no exchange, and is counted per request`() {
        var table = ConnectionTable(exchange: .seconds(5))
        let slot = table.open(socket: 10, at: second(0))
        #expect(table.countBody(slot, bytes: 100) == 100)
        #expect(table.countBody(slot, bytes: 1) == 101)
        #expect(table.nextDeadline == Deadline(at: second(5)))
        table.exchangeFinished(slot, at: second(1))
        #expect(table.countBody(slot, bytes: 7) == 7)
    }

    @Test func `surplus connections leave oldest first`() {
        var table = ConnectionTable(exchange: .seconds(5))
        for socket in Int32(0)..<5 { _ = table.open(socket: socket, at: second(Int64(socket))) }
        #expect(table.takeSurplus(over: 3) == 0)
        #expect(table.takeSurplus(over: 3) == 1)
        #expect(table.takeSurplus(over: 3) == nil)
    }

    @Test(arguments: [1, 2, 3] as [UInt64]) func `random traffic agrees with a plain list`(seed: UInt64) {
        var random = SeededNumbers(seed: seed)
        var table = ConnectionTable(exchange: .seconds(10))
        // The model: slot, socket, deadline in seconds, in the order of deadlines; the cut ones without a deadline.
        var listed: [(slot: Int32, socket: Int32, deadline: Int64)] = []
        var cut: [Int32] = []
        var socket: Int32 = 100
        for step in 0..<Int64(5_000) {
            switch random.next() % 4 {
            case 0:
                socket += 1
                listed.append((table.open(socket: socket, at: second(step)), socket, step + 10))
            case 1 where !listed.isEmpty:
                let index = Int(random.next() % UInt64(listed.count))
                table.close(listed.remove(at: index).slot)
            case 2 where !listed.isEmpty:
                var entry = listed.remove(at: Int(random.next() % UInt64(listed.count)))
                table.exchangeFinished(entry.slot, at: second(step))
                entry.deadline = step + 10
                listed.append(entry)
            default:
                if let slot = cut.popLast() { table.close(slot) }
            }
            while let taken = table.takeOverdue(at: second(step)) {
                let entry = listed.removeFirst()
                #expect(taken == entry.socket && entry.deadline <= step)
                cut.append(entry.slot)
            }
            #expect(listed.first.map { $0.deadline > step } ?? true)
            #expect(table.listedCount == listed.count && table.openCount == listed.count + cut.count)
        }
    }
}
