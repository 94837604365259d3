"""Words that STYLE.md refuses, each with what to write instead."""

import re
from typing import NamedTuple

from linting.project import Finding


class Ban(NamedTuple):
    """A pattern that may not stand in the code of some Swift files."""

    rule: str
    pattern: "re.Pattern"
    instead: str
    sources_only: bool = False
    except_under: tuple = ()


PROGRAMS = ("Sources/vitalstream/", "producers/vitals-producer/", "producers/duplicate-vitals-producer/",
            "producers/patient-flow-producer/", "bench/")

BANS = (
    Ban("testable", re.compile(r"@testable\b"), "test through `public` or `package` names: the tests run in release"),
    Ban("sleep", re.compile(r"(?<![.\w])(?:u|nano)?sleep\(|\b(?:Task|Thread)\.sleep\b"),
        "wait for a state with a deadline, woken by an event"),
    Ban("mutex", re.compile(r"\bMutex<|\bMutex\("),
        "`Locked`: Synchronization.Mutex is slower and reported falsely by ThreadSanitizer"),
    Ban("threads", re.compile(r"\b(?:DispatchQueue|DispatchSemaphore|Task\.detached|Task \{|async let|await)\b|"
                              r"^[ \t]*(?:(?:public|package|private|final)\s+)*actor\s+\w", re.MULTILINE),
        "a `ServiceThread`: every call that matters blocks in C, and tasks would starve", sources_only=True),
    Ban("print", re.compile(r"(?<![.\w])(?:debugPrint|print)\("),
        "a log line through `Log`, or a returned value: a library does not write to standard output",
        sources_only=True, except_under=PROGRAMS),
)

# What the compiler no longer checks, and the comment that has to say why it holds all the same.
REASONS = (
    (re.compile(r"@unchecked\s+Sendable\b"), "the lock or thread that makes it true"),
    (re.compile(r"\bnonisolated\(unsafe\)"), "the lock or thread that makes it true"),
    (re.compile(r"\btry\?"), "why the error may be dropped"),
    (re.compile(r"(?<![\w.])&[+*-](?!\w)"), "the bound that keeps it from wrapping, or that it is meant to wrap"),
)
_LINES_ABOVE = 6


def check(project):
    """Yields a finding for each banned word in Swift code."""
    for file in project.of("swift"):
        for ban in BANS:
            if (ban.sources_only and not file.is_source) or file.path.startswith(ban.except_under or ("\0",)):
                continue
            for match in ban.pattern.finditer(file.code):
                line = file.code.count("\n", 0, match.start()) + 1
                yield Finding(file.path, line, ban.rule, f"{match.group().strip()}: write {ban.instead}")


def check_reasons(project):
    """Yields a finding for each unchecked promise of a source without a comment near it."""
    for file in project.of("swift"):
        if not file.is_source:
            continue
        for pattern, what in REASONS:
            for match in pattern.finditer(file.code):
                line = file.code.count("\n", 0, match.start()) + 1
                if not any("//" in text for text in file.lines[max(0, line - 1 - _LINES_ABOVE) : line]):
                    message = f"{match.group()} needs a comment at or above the line: {what}"
                    yield Finding(file.path, line, "reason", message)
