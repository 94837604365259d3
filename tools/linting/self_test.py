"""Each rule proves itself: it fails on a bad sample and stays silent on a good one."""

import sys

from linting.mask import mask
from linting.names import RULE_NAMES
from linting.project import Project, SourceFile
from linting.samples import BAD, GOOD, MANIFEST, MASKED


def run(rules):
    """Runs every sample; prints what went wrong and returns the exit code."""
    failures = list(_masking()) + list(_samples(rules)) + list(_coverage())
    for failure in failures:
        print(f"lint self-test: {failure}", file=sys.stderr)
    if not failures:
        print(f"lint self-test: {len(BAD)} bad and {len(GOOD)} good samples judged rightly")
    return 1 if failures else 0


def _masking():
    for language, text, expected in MASKED:
        masked = mask(text, language)
        if masked != expected:
            yield f"mask of {text!r} is {masked!r}, not {expected!r}"


def _findings(rules, files, manifest):
    sources = [SourceFile(path, text, path.startswith("tools/run")) for path, text in files.items()]
    project = Project(sources, manifest)
    return [finding for rule in rules for finding in rule(project)]


def _samples(rules):
    for rule, line, files, *manifest in BAD:
        found = _findings(rules, files, *(manifest or [MANIFEST]))
        if [(finding.rule, finding.line) for finding in found] != [(rule, line)]:
            yield f"a sample for {rule} at line {line} gave {[str(finding) for finding in found]}"
    for files in GOOD:
        found = _findings(rules, files, MANIFEST)
        if found:
            yield f"a good sample gave {[str(finding) for finding in found]}"


def _coverage():
    """A rule without a bad sample could be broken for years."""
    shown = {rule for rule, *_ in BAD}
    for name in sorted(RULE_NAMES ^ shown):
        yield f"rule {name} has no bad sample, or a sample names a rule that is not in RULE_NAMES"
