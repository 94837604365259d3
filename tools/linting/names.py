"""The names of the rules, as a finding prints them; the self-test holds this list to the samples."""

RULE_NAMES = {
    # arrows.py
    "arrow",
    "foundation",
    "import-reason",
    "no-target",
    "outside-package",
    "swift-settings",
    "undeclared-import",
    "unused-dependency",
    # banned.py
    "mutex",
    "print",
    "reason",
    "sleep",
    "testable",
    "threads",
    # functions.py
    "function-length",
    # text_rules.py
    "dead-link",
    "file-length",
    "line-length",
    "machine-path",
    "migrations",
    "script-mode",
    "text",
    "todo",
}
