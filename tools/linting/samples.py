"""Samples that prove the rules: bad ones name the rule and the line it must report, good ones report nothing.

Paths that a rule refuses are put together here, so that this file passes the rule itself.
"""

from linting.arrows import FEATURES

_SETTINGS = [{"tool": "swift", "kind": {kind: {"_0": value}}}
             for kind, value in [("swiftLanguageMode", "6"), ("treatAllWarnings", "error")]
             + [("enableUpcomingFeature", feature) for feature in sorted(FEATURES)]]


def _target(name, *dependencies, kind="regular", **others):
    dependencies = [{"byName": [dependency, None]} for dependency in dependencies]
    return {"name": name, "type": kind, "dependencies": dependencies, "settings": _SETTINGS} | others


def _manifest(*targets, packages=()):
    return {"dependencies": list(packages), "targets": list(targets)}


MANIFEST = _manifest(
    _target("CPosix", settings=[]),
    _target("CRdKafka", kind="system", settings=[]),
    _target("Service", "CPosix"),
    _target("Kafka", "Service"),
    _target("VitalSigns"),
    _target("vitalstream", kind="executable"),
    _target("Schema", path="sql"),
    _target("ServiceTests", kind="test"),
)


def _swift(text, path="Sources/VitalSigns/A.swift"):
    return {path: text + "\n"}


def _body(lines, opening="func long() {"):
    """A function whose declaration, body and closing brace are `lines` lines."""
    return opening + "\n" + "    count += 1\n" * (lines - 2) + "}"


_WORK = "/wo" + "rk/main/x"
_NEIGHBOUR = "../sha" + "red/DESIGN.md"
_UNFINISHED = "TO" + "DO"

BAD = [
    # rule, line, files, and a manifest where the usual one will not do
    ("arrow", 2, _swift("import CPosix\nimport Kafka", "Sources/Service/A.swift")),
    ("arrow", 1, _swift("import Service")),
    ("arrow", 3, _swift("// why\n\npackage import struct Service.Log")),
    ("arrow", 1, _swift("import Elsewhere")),
    ("arrow", 1, _swift("import Testing")),
    ("arrow", 1, {}, _manifest(_target("Service", "Kafka"))),
    ("arrow", 1, {}, _manifest(_target("Novelty"))),
    ("foundation", 1, _swift("import Foundation")),
    ("foundation", 1, _swift("import FoundationEssentials", "sql/Schema.swift")),
    ("foundation", 1, _swift("import Foundation", "Tests/ServiceTests/A.swift")),
    ("import-reason", 1, _swift("public import CPosix", "Sources/Service/A.swift")),
    ("import-reason", 1, _swift("import FoundationEssentials", "Tests/ServiceTests/A.swift")),
    ("no-target", 1, _swift("let a = 1", "Sources/Forgotten/A.swift")),
    ("outside-package", 1, {}, _manifest(packages=["swift-nio"])),
    ("swift-settings", 1, {}, _manifest(_target("Service", settings=_SETTINGS[1:]))),
    ("undeclared-import", 1, _swift("import CPosix", "Sources/Kafka/A.swift") | _swift(
        "import Service", "Sources/Kafka/B.swift")),
    ("unused-dependency", 1, _swift("import Glibc", "Sources/Service/A.swift")),
    ("mutex", 1, _swift("let state = Mutex<Int>(0)")),
    ("print", 2, _swift("func report() {\n    print(1)\n}")),
    ("reason", 1, _swift("final class Box: @unchecked Sendable {}")),
    ("reason", 2, _swift("func next(a: Int, b: Int) -> Int {\n    a &+ b\n}")),
    ("reason", 1, _swift("let text = try? read()")),
    ("sleep", 1, _swift("usleep(10)", "Tests/ServiceTests/A.swift")),
    ("sleep", 1, _swift("try await Task.sleep(for: pause)", "Tests/ServiceTests/A.swift")),
    ("testable", 1, _swift("@testable import ServiceTests", "Tests/ServiceTests/A.swift")),
    ("threads", 2, _swift("/// Why.\npublic final actor Lane {}")),
    ("threads", 1, _swift("DispatchQueue.main.run()")),
    ("function-length", 2, _swift("struct A {\n" + _body(71) + "\n}")),
    ("function-length", 1, _swift(_body(71, "init(a: Int = 1) throws(E) {"))),
    ("function-length", 1, _swift(_body(71, "var long: Int {"))),
    ("function-length", 2, _swift("enum E { case a }\n" + _body(71, "class func make(for x: Struct) -> Protocol {"))),
    ("function-length", 1, {"Sources/CPosix/a.c": _body(71, "int f(int a) {") + "\n"}),
    ("function-length", 2, {"Sources/CSimdJSON/a.cpp": 'extern "C" {\n' + _body(71, "int f(struct a *b) {") + "\n}\n"}),
    ("function-length", 1, {"tools/a.py": "def f():\n" + "    g()\n" * 70}),
    ("dead-link", 2, {"docs/a.md": "# A\nsee [the design](nowhere.md)\n"}),
    ("file-length", 401, _swift("\n".join(["let a = 1"] * 401))),
    ("file-length", 401, {"sql/analytics/a.sql": "SELECT 1;\n" * 401}),
    ("file-length", 401, {"tools/a.sh": "true\n" * 401}),
    ("line-length", 1, _swift("let a = " + "1 + " * 29 + "1")),
    ("machine-path", 1, _swift(f"// see {_NEIGHBOUR}")),
    ("machine-path", 2, {"docs/a.md": f"# A\nrun {_WORK}\n"}),
    ("migrations", 1, {"sql/migrations/001_a.sql": "SELECT 1;\n", "sql/migrations/003_c.sql": "SELECT 1;\n"}),
    ("migrations", 1, {"sql/migrations/001_a.sql": "SELECT 1;\n", "sql/migrations/001_b.sql": "SELECT 1;\n"}),
    ("migrations", 1, {"sql/migrations/first.sql": "SELECT 1;\n"}),
    ("script-mode", 1, {"tools/start": "#!/bin/sh\ntrue\n"}),
    ("script-mode", 1, {"tools/run": "true\n"}),
    ("text", 1, {"sql/analytics/a.sql": "SELECT 1; \n"}),
    ("text", 1, {"sql/analytics/a.sql": "SELECT 1;"}),
    ("text", 1, {"sql/analytics/a.sql": "\tSELECT 1;\n"}),
    ("todo", 1, _swift(f"// {_UNFINISHED}: finish this")),
]

GOOD = [
    _swift("internal import CPosix\nimport Glibc\nimport Synchronization", "Sources/Service/A.swift"),
    _swift("// Their types stand in our signatures.\nimport Glibc\npublic import CPosix", "Sources/Service/A.swift"),
    _swift("import Testing\n// It reads JSON.\nimport FoundationEssentials", "Tests/ServiceTests/A.swift"),
    _swift('let text = """\n    import Kafka\n    """\n/* import Kafka\n /* usleep(1) */ print(2) */'),
    _swift("print(1)", "Sources/vitalstream/A.swift"),
    _swift("log.print(1)\nposix.sleep(1)\nlet awaited = 1"),
    _swift("/// The state is behind `lock`.\nfinal class Box: @unchecked Sendable {}"),
    _swift("struct A {\n" + _body(70) + "\n" + _body(70) + "\n}"),
    _swift('func short() {\n    let a = "{"\n    let b = #"\\"{"#\n}\n' + "let c = 1\n" * 80),
    _swift('func nested() -> String {\n    "\\(list.map { "}" + $0 })"\n}\n' + "let c = 1\n" * 80),
    _swift(_body(80, "extension A where B == C {").replace("count += 1", "case d")),
    _swift("@Test func `a { deinit`() {\n}\n" + "let c = 1\n" * 80, "Tests/ServiceTests/A.swift"),
    {"Sources/CPosix/a.c": _body(90, "static const int table[] = {").replace("count += 1", "1,") + ";\n"},
    {"Sources/CPosix/a.c": "#define A(x) do { \\\n    x; {\nint f(void) {\n    return '{';\n}\n" + "int a;\n" * 80},
    {"docs/a.md": "see [b](b.md#c), [the web](https://example.org)\n```\n[not a link](x)\n```\n", "docs/b.md": "# B\n"},
    {"CONTRIBUTING.md": f"read {_NEIGHBOUR}\n", "docs/a.md": "a path like /usr/lib/work/x\n"},
    {"sql/migrations/001_a.sql": "SELECT 1;\n", "sql/migrations/002_b_c.sql": "SELECT 1;\n"},
    {"tools/run": "#!/bin/sh\ntrue\n", "Makefile": "all:\n\ttrue\n"},
    _swift(f"// {_UNFINISHED} (issue 12): the second half\n/// https://example.org/" + "a" * 120),
    {"Tests/ServiceTests/Fixtures/a.sql": f"{_WORK} \t"},
]

MASKED = [
    # language, text, what is left of it
    ("swift", 'a("b") // c', "a(   )     "),
    ("swift", '"a\\(b("c"))d" + e', "              + e"),
    ("swift", '##"a"#b"## + c', "           + c"),
    ("swift", "#if a\n/* /* b */ c */ d", "#if a\n                d"),
    ("swift", "func `a b`()", "func xxxxx()"),
    ("swift", '"a\nb', "  \nb"),
    ("swift", '"""\n"a"\n""" + b', "   \n   \n    + b"),
    ("c", "a = '\"'; /* /* */ b", "a =    ;          b"),
    ("c", 'R"x(a" )x" + 1\'000', "           + 1'000"),
    ("c", "#define A \\\n    {\nb", "           \n     \nb"),
]
