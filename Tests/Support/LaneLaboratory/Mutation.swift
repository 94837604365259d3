/// A safeguard that can be taken away, to see whether the laboratory notices.
///
/// The lane under test is the shipped one, to the last byte: what is taken away is taken away at its two ports, so that
/// what the lane gives and gets is what a lane or a schema without the safeguard would give and get.
package enum Mutation: String, CaseIterable, Sendable {
    /// The ledger row is written without a look at owner, epoch and offset.
    case noCompareAndSet = "no-compare-and-set"
    /// The offset is compared, owner and epoch are not.
    case epochUnchecked = "epoch-not-checked"
    /// Rows and offset are committed one after the other, and the process can die in between.
    case separateOffset = "offset-in-its-own-transaction"
    /// A partition is read from where Kafka's own committed offset stands.
    case kafkaOffset = "offsets-from-kafka"
    /// Every message of a new key becomes a row of the batch.
    case unreduced = "no-in-batch-reduction"
    /// After a commit whose answer was lost the lane goes on as if it had happened.
    case unknownTakenAsDone = "no-reading-after-unknown-commit"
    /// A row whose key is stored already is left out, and counted as inserted all the same.
    case keyVerdictIgnored = "fast-path-without-primary-key"
    /// Rows are written in the order in which they came.
    case unsorted = "batch-not-sorted"
    /// What a lane remembers of patients outlives the loss of its session and of its partitions.
    case memoryKept = "retry-without-dropping-memory"
}
