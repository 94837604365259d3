"""Imports point one way: the table of DESIGN.md, checked against Package.swift and against each import.

SwiftPM's own `--explicit-target-dependency-import-check` misses imports of targets that are built anyway, so
both sides are read here.
"""

import re

from linting.project import Finding

# ProducerSupport is what the producer programs share; it lies beside them and sees no more than they do.
_PRODUCERS = {"Simulation", "Kafka", "Service", "CZlib"}

# What a target may depend on. A target that is not named here has no arrows yet: add them in DESIGN.md first.
ARROWS = {
    "CRdKafka": set(),
    "CLibPQ": set(),
    "CZlib": set(),
    "CPosix": set(),
    "CSimdJSON": set(),
    "CMicroHTTPD": set(),
    "CRdKafkaThreads": set(),
    "Service": {"CPosix"},
    "Kafka": {"Service", "CPosix", "CRdKafka", "CRdKafkaThreads"},
    "Postgres": {"Service", "CPosix", "CLibPQ"},
    "HTTP": {"Service", "CPosix", "CMicroHTTPD"},
    "VitalSigns": {"CSimdJSON"},
    "PatientFlow": {"VitalSigns", "CSimdJSON"},
    "WaitTime": {"PatientFlow"},
    "Ingest": {"Service", "Kafka", "Postgres", "VitalSigns", "PatientFlow", "WaitTime"},
    "API": {"Service", "HTTP", "PatientFlow", "WaitTime"},
    "Schema": set(),
    "Simulation": {"VitalSigns", "PatientFlow"},
    "ProducerSupport": _PRODUCERS,
    "vitals-producer": _PRODUCERS | {"ProducerSupport"},
    "duplicate-vitals-producer": _PRODUCERS | {"ProducerSupport"},
    "patient-flow-producer": _PRODUCERS | {"ProducerSupport"},
}
SEES_ALL = {"vitalstream", "vitalstream-bench"}
# Linked for the symbols they define, never imported.
LINK_ONLY = {"CRdKafkaThreads"}
SYSTEM = {"Swift", "Synchronization", "Glibc"}
TEST_SYSTEM = SYSTEM | {"Testing", "FoundationEssentials"}
FEATURES = {"ExistentialAny", "MemberImportVisibility", "InternalImportsByDefault"}

_IMPORT = re.compile(
    r"^[ \t]*(?:@\w+(?:\([^)\n]*\))?[ \t]+)*(?:(?P<access>public|package|internal|fileprivate|private)[ \t]+)?"
    r"import[ \t]+(?:(?:struct|class|enum|protocol|typealias|func|let|var)[ \t]+)?(?P<module>\w+)",
    re.MULTILINE,
)


def check(project):
    """Yields a finding for each arrow, in Package.swift or in an import, that DESIGN.md does not draw."""
    targets = [Target(entry) for entry in project.manifest.get("targets", [])]
    for dependency in project.manifest.get("dependencies", []):
        yield _manifest_finding("outside-package", f"no outside Swift package is used, found {dependency}")
    for target in targets:
        yield from _check_manifest(target, targets)
    for file in project.of("swift"):
        if file.path == "Package.swift":
            continue
        owner = _owner(file.path, targets)
        if owner is None:
            yield Finding(file.path, 1, "no-target", "belongs to no target of Package.swift: nothing builds it")
        else:
            owner.imports |= {module for _, _, module in imports(file)}
            yield from _check_imports(file, owner, targets)
    yield from _check_unused(targets)


class Target:
    """One target of Package.swift, and the modules that its files import."""

    def __init__(self, entry):
        self.name, self.kind = entry["name"], entry["type"]
        self.module = self.name.replace("-", "_")
        folder = "Tests" if self.kind == "test" else "Sources"
        self.path = (entry.get("path") or f"{folder}/{self.name}").rstrip("/") + "/"
        self.dependencies = {next(iter(d.values()))[0] for d in entry["dependencies"]}
        self.settings = [setting for setting in entry.get("settings", []) if setting["tool"] == "swift"]
        self.imports = set()

    @property
    def allowed(self):
        """The names of the targets it may depend on; None when it may depend on all."""
        if self.kind == "test" or self.path.startswith("Tests/") or self.name in SEES_ALL:
            return None
        return ARROWS.get(self.name)

    @property
    def is_drawn(self):
        """Whether DESIGN.md says anything about it."""
        return self.allowed is not None or self.name in SEES_ALL or self.path.startswith("Tests/")

    def has_setting(self, kind, value):
        """Whether the Swift setting `kind` is there with this value."""
        return any(setting["kind"].get(kind, {}).get("_0") == value for setting in self.settings)


def imports(file):
    """Line, access level and module of each import."""
    for match in _IMPORT.finditer(file.code):
        yield file.code.count("\n", 0, match.start("module")) + 1, match["access"], match["module"]


def _manifest_finding(rule, message):
    return Finding("Package.swift", 1, rule, message)


def _owner(path, targets):
    owners = [target for target in targets if path.startswith(target.path)]
    return max(owners, key=lambda target: len(target.path), default=None)


def _check_manifest(target, targets):
    if not target.is_drawn:
        message = f"DESIGN.md draws no arrows for target {target.name}: draw them, then add them to linting/arrows.py"
        yield _manifest_finding("arrow", message)
        return
    if target.allowed is not None:
        for name in sorted(target.dependencies - target.allowed):
            message = f"{target.name} may not depend on {name}; it may on {_listed(target.allowed)}"
            yield _manifest_finding("arrow", message)
    is_swift = target.kind != "system" and bool(target.settings or not target.name.startswith("C"))
    if not is_swift:
        return
    wanted = [("swiftLanguageMode", "6"), ("treatAllWarnings", "error")]
    wanted += [("enableUpcomingFeature", feature) for feature in sorted(FEATURES)]
    for kind, value in wanted:
        if not target.has_setting(kind, value):
            yield _manifest_finding("swift-settings", f"{target.name} lacks the Swift setting {kind} {value}")


def _check_imports(file, owner, targets):
    by_module = {target.module: target for target in targets}
    system = TEST_SYSTEM if owner.path.startswith("Tests/") else SYSTEM
    for line, access, module in imports(file):
        finding = None
        if module in system or module == owner.module:
            finding = _check_reason(file, line, access, module)
        elif module in ("Foundation", "FoundationEssentials", "FoundationNetworking", "Dispatch", "XCTest"):
            finding = ("foundation", f"{module} stays out: locale, heap strings, 8 to 60 MB more binary")
        elif module not in by_module:
            finding = ("arrow", f"{module} is neither a target of this package nor one of {_listed(system)}")
        elif owner.allowed is not None and by_module[module].name not in owner.allowed:
            finding = ("arrow", f"{owner.name} may not import {module}; it may import {_listed(owner.allowed)}")
        elif by_module[module].name not in owner.dependencies:
            finding = ("undeclared-import", f"{module} is no dependency of {owner.name} in Package.swift")
        else:
            finding = _check_reason(file, line, access, module)
        if finding:
            yield Finding(file.path, line, *finding)


def _check_reason(file, line, access, module):
    """A public import, and FoundationEssentials in a test, say why: at the line, or above its run of imports."""
    if access != "public" and module != "FoundationEssentials":
        return None
    first = line - 1
    while first > 0 and _IMPORT.match(file.lines[first - 1]):
        first -= 1
    if any("//" in text for text in file.lines[max(0, first - 1) : line]):
        return None
    why = "the public signatures need it" if access == "public" else "nothing else serves"
    return ("import-reason", f"say in a comment above the imports why {module} is imported this way ({why})")


def _check_unused(targets):
    executables = {target.name for target in targets if target.kind == "executable"}
    modules = {target.name: target.module for target in targets}
    for target in targets:
        if target.imports or target.kind == "test":
            for name in sorted(target.dependencies - executables - LINK_ONLY):
                if modules.get(name, name) not in target.imports:
                    message = f"{target.name} declares {name} and no file of it imports {name}"
                    yield _manifest_finding("unused-dependency", message)


def _listed(names):
    return ", ".join(sorted(names)) or "nothing"
