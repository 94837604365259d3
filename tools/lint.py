#!/usr/bin/env python3
"""Checks what swift-format does not: sizes, import arrows, refused words, paths, migrations, links.

    tools/lint.py                 judge this checkout; exit code 1 and one line per finding
    tools/lint.py --self-test     prove that each rule fails on a bad sample and passes on a good one
    tools/lint.py --root FOLDER   judge another checkout

The rules live in tools/linting, one file per concern.
"""

import argparse
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from linting import RULES, project, self_test  # noqa: E402 (the path above comes first)


def main():
    """Runs the self-test or the rules; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--self-test", action="store_true", help="test the rules themselves")
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    parser.add_argument("--root", default=here, metavar="FOLDER", help="the checkout to judge (this one)")
    arguments = parser.parse_args()
    if arguments.self_test:
        return self_test.run(RULES)
    started = time.monotonic()
    try:
        checkout = project.load(arguments.root)
    except project.LintError as error:
        print(f"lint: {error}", file=sys.stderr)
        return 2
    findings = sorted({finding for rule in RULES for finding in rule(checkout)})
    for finding in findings:
        print(finding)
    verdict = f"{len(findings)} finding{'' if len(findings) == 1 else 's'}"
    print(f"lint: {len(checkout.files)} files, {verdict}, {time.monotonic() - started:.1f} s")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
