import Service
import Testing

/// Settings that are lists of whole numbers.
@Suite struct WholeNumbersTests {
    private func lengths(_ text: String) throws -> [Int] {
        let catalog = SettingsCatalog(
            program: "trial", version: "1",
            settings: [
                SettingDeclaration("LENGTHS", default: "5,60", kind: .integers(1...1_440), meaning: "How long.")
            ],
            command: CommandDeclaration("", summary: "Try.", examples: [CommandExample("trial", "as it is")]))
        let environment = text.isEmpty ? [:] : ["LENGTHS": text]
        let invocation = try catalog.interpret(arguments: [], environment: environment)
        guard case .run(let settings) = invocation else { return [] }
        return settings.integers("LENGTHS")
    }

    @Test(
        arguments: [
            ("", [5, 60]), ("60,5", [5, 60]), ("7", [7]),
            ("8,7,6,5,4,3,2,1440", [2, 3, 4, 5, 6, 7, 8, 1_440]),
        ])
    func `they are read in any order and given in theirs`(text: String, expected: [Int]) throws {
        #expect(try lengths(text) == expected)
    }

    @Test(arguments: ["0", "5,5", "5,", ",5", "5;60", "5, 60", "1441", "1,2,3,4,5,6,7,8,9", "five"])
    func `what is none of them stops the program with what is allowed`(text: String) {
        let error = #expect(throws: SettingsError.self) { try lengths(text) }
        let allowed = "one to eight whole numbers from 1 to 1440, with commas between them"
        #expect(error?.description.contains(allowed) == true)
    }
}
