/// The newest elements, at most `capacity` of them, the oldest making room.
struct Ring<Element> {
    let capacity: Int
    private var storage: [Element] = []
    /// Where the oldest stands once the ring is full.
    private var head = 0

    init(capacity: Int) {
        precondition(capacity > 0, "a ring holds something")
        self.capacity = capacity
    }

    var count: Int { storage.count }

    mutating func append(_ element: Element) {
        if storage.count < capacity {
            storage.append(element)
        } else {
            storage[head] = element
            head = head + 1 == capacity ? 0 : head + 1
        }
    }

    /// The element that came `age` after the newest: 0 is the newest.
    subscript(age age: Int) -> Element {
        let place = head + storage.count - 1 - age
        return storage[place < storage.count ? place : place - storage.count]
    }

    var newest: Element? { storage.isEmpty ? nil : self[age: 0] }

    /// From the oldest to the newest.
    var inOrder: [Element] { Array(storage[head...]) + Array(storage[..<head]) }
}

extension Ring: Sendable where Element: Sendable {}
