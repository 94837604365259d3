"""What the rules look at: the files of a checkout and SwiftPM's view of Package.swift."""

import json
import os
import subprocess
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import NamedTuple

from linting.mask import mask

LANGUAGES = {
    ".swift": "swift",
    ".c": "c",
    ".h": "c",
    ".cpp": "c",
    ".hpp": "c",
    ".py": "python",
    ".sql": "sql",
    ".sh": "shell",
    ".md": "markdown",
}
CODE = ("swift", "c", "python", "sql", "shell", "make")
SOURCE_ROOTS = ("Sources/", "producers/", "bench/", "sql/")


class LintError(Exception):
    """The checkout cannot be judged at all: no Swift toolchain, or a Package.swift that does not load."""


class Finding(NamedTuple):
    """One broken rule at one line (1-based)."""

    path: str
    line: int
    rule: str
    message: str

    def __str__(self):
        return f"{self.path}:{self.line}: [{self.rule}] {self.message}"


@dataclass
class SourceFile:
    """A text file: its path is relative to the root and uses `/`."""

    path: str
    text: str
    executable: bool = False

    @cached_property
    def language(self):
        """The language by extension, file name or first line; `text` when none is known."""
        name = PurePosixPath(self.path).name
        if name == "Makefile":
            return "make"
        known = LANGUAGES.get(PurePosixPath(self.path).suffix)
        if known is None and self.text.startswith("#!"):
            first = self.text.split("\n", 1)[0]
            known = "python" if "python" in first else "shell"
        return known or "text"

    @cached_property
    def lines(self):
        """The lines without their ends; a last line without a newline counts."""
        return self.text.splitlines()

    @cached_property
    def code(self):
        """The text with comments, strings and raw identifiers blanked; lines and columns keep their places."""
        return mask(self.text, self.language)

    @property
    def is_fixture(self):
        """Recorded input of a test, kept as it came."""
        return "/Fixtures/" in self.path

    @property
    def is_source(self):
        """Part of what users run, as opposed to its tests and tools."""
        return self.path.startswith(SOURCE_ROOTS)


@dataclass
class Project:
    """A checkout; `manifest` is what `swift package dump-package` prints."""

    files: list
    manifest: dict = field(default_factory=dict)
    other_paths: frozenset = frozenset()

    def of(self, *languages):
        """The files written in one of the languages, fixtures left out."""
        return [f for f in self.files if f.language in languages and not f.is_fixture]

    @cached_property
    def paths(self):
        """Every path of the checkout, text or not, and the folders they lie in."""
        known = {f.path for f in self.files} | set(self.other_paths)
        return known | {str(parent) for path in known for parent in PurePosixPath(path).parents}


def listed_paths(root):
    """The files git knows or would add; every file when this is no git checkout (a released archive)."""
    command = ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, capture_output=True, check=False)
    if listing.returncode == 0:
        return sorted(p for p in set(listing.stdout.decode().split("\0")) if p)
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in (".git", ".build", ".demo", "__pycache__")]
        found += [os.path.relpath(os.path.join(folder, name), root) for name in names]
    return sorted(found)


def load(root):
    """Reads the checkout at `root`; a file that is not UTF-8 is known by its path alone."""
    files, others = [], set()
    for path in listed_paths(root):
        full = os.path.join(root, path)
        if os.path.islink(full) or not os.path.isfile(full):
            continue
        try:
            with open(full, encoding="utf-8", newline="") as handle:
                files.append(SourceFile(path, handle.read(), os.access(full, os.X_OK)))
        except UnicodeDecodeError:
            others.add(path)
    return Project(files, dump_package(root), frozenset(others))


def dump_package(root):
    """Package.swift as SwiftPM understands it; needs no build and takes no lock."""
    command = ["swift", "package", "--package-path", root, "dump-package"]
    try:
        dump = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise LintError("swift is not in PATH; install the Swift 6.3 toolchain") from error
    if dump.returncode != 0:
        raise LintError("swift package dump-package failed:\n" + dump.stderr.decode())
    return json.loads(dump.stdout)
