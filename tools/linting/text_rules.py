"""Rules about files as text: size, width, words that are refused, paths, names of migrations."""

import re
from pathlib import PurePosixPath

from linting.project import CODE, Finding

MAX_FILE_LINES = 400
MAX_COLUMNS = 120

# The only files that may know of the folder beside the checkout, or of a machine's own paths.
KNOWS_NEIGHBOURS = {".ci/run", "Makefile", "CONTRIBUTING.md"}

_MACHINE_PATH = re.compile(r"(?<![\w.~/-])/(?:work|root|home)/|\.\./shared\b")
_TODO = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME)\b")
_ISSUE = re.compile(r"#\d+|\bissue \d+")
_MIGRATION = re.compile(r"sql/migrations/(\d{3})_[a-z0-9_]+\.sql")
_LINK = re.compile(r"\]\(([^)\s#]+)(?:#[^)\s]*)?\)")
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def check_size(project):
    """Files and lines that nobody can review."""
    for file in project.of(*CODE):
        if len(file.lines) > MAX_FILE_LINES:
            message = f"{len(file.lines)} lines, at most {MAX_FILE_LINES}: split the file by concern"
            yield Finding(file.path, MAX_FILE_LINES + 1, "file-length", message)
        for number, line in enumerate(file.lines, 1):
            if len(line) > MAX_COLUMNS and not re.fullmatch(r"\W*https?://\S+", line):
                yield Finding(file.path, number, "line-length", f"{len(line)} columns, at most {MAX_COLUMNS}")


def check_text(project):
    """Ends of lines, tabs and blanks at a line's end, which no formatter of ours looks after outside Swift."""
    for file in project.of(*CODE):
        if file.text and not file.text.endswith("\n"):
            yield Finding(file.path, len(file.lines), "text", "the last line lacks its newline")
        for number, line in enumerate(file.lines, 1):
            if line != line.rstrip() or "\r" in line:
                yield Finding(file.path, number, "text", "blanks or a carriage return at the end of the line")
            elif "\t" in line and file.language != "make":
                yield Finding(file.path, number, "text", "a tab: indent with spaces")


def check_todo(project):
    """Unfinished work has an issue, or it is forgotten."""
    for file in project.of(*CODE):
        for number, line in enumerate(file.lines, 1):
            if _TODO.search(line) and not _ISSUE.search(line):
                yield Finding(file.path, number, "todo", "name the issue (`issue 12`), or finish it")


def check_paths(project):
    """A checkout works wherever it lies and without what lies beside it."""
    for file in project.files:
        if file.path in KNOWS_NEIGHBOURS or file.is_fixture:
            continue
        for number, line in enumerate(file.lines, 1):
            found = _MACHINE_PATH.search(line)
            if found:
                yield Finding(file.path, number, "machine-path", f"{found.group()!r} is a path of one machine")


def check_migrations(project):
    """Migrations are numbered 001, 002, ... so that every database has seen the same ones in the same order."""
    inside = [path for path in sorted(project.paths) if path.startswith("sql/migrations/")]
    numbers = []
    for path in inside:
        match = _MIGRATION.fullmatch(path)
        if match:
            numbers.append((int(match[1]), path))
        else:
            yield Finding(path, 1, "migrations", "the name must be NNN_lower_case_words.sql")
    for expected, (number, path) in enumerate(numbers, 1):
        if number != expected:
            yield Finding(path, 1, "migrations", f"number {number:03} where {expected:03} is due: no gaps, no doubles")
            return


def check_links(project):
    """A relative link of a page leads to a file of the checkout."""
    for file in project.of("markdown"):
        text = _FENCE.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), file.text)
        for match in _LINK.finditer(text):
            link = match[1]
            if re.match(r"[a-z]+:", link):
                continue
            parts = []
            for part in (PurePosixPath(file.path).parent / link).parts:
                if part == ".." and parts:
                    parts.pop()
                else:
                    parts.append(part)
            if "/".join(parts) not in project.paths:
                line = text.count("\n", 0, match.start()) + 1
                yield Finding(file.path, line, "dead-link", f"{link} leads nowhere")


def check_scripts(project):
    """What begins with #! can be run, and what can be run says by what."""
    for file in project.files:
        if file.executable != file.text.startswith("#!"):
            which = "is executable without #!" if file.executable else "begins with #! and is not executable"
            yield Finding(file.path, 1, "script-mode", which)
