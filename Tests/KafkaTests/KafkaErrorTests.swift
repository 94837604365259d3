import Kafka
import Testing

@Suite struct KafkaErrorTests {
    // Codes of rdkafka.h (negative) and of Kafka's protocol.
    @Test(
        arguments: [
            (-195, "ERR__TRANSPORT", true), (-185, "ERR__TIMED_OUT", true), (3, "ERR_UNKNOWN_TOPIC_OR_PART", true),
            (29, "ERR_TOPIC_AUTHORIZATION_FAILED", false), (-186, "ERR__INVALID_ARG", false),
        ] as [(Int32, String, Bool)])
    func `a code has its documented name`(code: Int32, name: String, isRetriable: Bool) {
        let error = KafkaError(code: code)
        #expect(error.name == name)
        #expect(error.isRetriable == isRetriable)
        #expect(!error.text.isEmpty)
        #expect(error.description == "\(name): \(error.text)")
    }

    @Test func `what the library said about the case comes first, and fatal is never retriable`() {
        let error = KafkaError(code: -195, detail: "broker 3 hung up", isFatal: true)
        #expect(error.text == "broker 3 hung up")
        #expect(!error.isRetriable)
    }
}
