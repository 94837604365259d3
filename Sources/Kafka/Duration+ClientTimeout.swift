internal import Service

extension Duration {
    /// Milliseconds as librdkafka's blocking calls take them: rounded down, never negative (that would be "for ever").
    var clientTimeout: Int32 { Int32(clamping: max(0, wholeMilliseconds)) }
}
