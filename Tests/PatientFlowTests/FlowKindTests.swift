import PatientFlow
import Testing

@Suite struct FlowKindTests {
    @Test func `kinds keep their names and their numbers`() {
        #expect(
            FlowKind.allCases.map(\.code) == [
                "arrival", "triage", "treatment_start", "transfer", "departure", "left_without_being_seen",
                "cancelled",
            ])
        #expect(FlowKind.allCases.map(\.rawValue) == [1, 2, 3, 4, 5, 6, 7])
        for kind in FlowKind.allCases { #expect(FlowKind(code: kind.code) == kind) }
        #expect(FlowKind(code: "Arrival") == nil)
        #expect(FlowKind(code: "") == nil)
    }
}
