"""Functions stay short enough to be read in one go."""

import ast
import re

from linting.project import Finding

MAX_FUNCTION_LINES = 70

_SWIFT_TYPES = {"struct", "class", "enum", "actor", "protocol", "extension"}
_SWIFT_WORDS = re.compile(
    r"(?<![.\w])(struct|class|enum|actor|protocol|extension|func|init|deinit|subscript|var|let|get|set|willSet|didSet"
    r"|case|if|else|for|while|repeat|switch|guard|do|catch|defer|return)\b"
)
_C_TYPES = re.compile(r"\b(struct|union|enum|class|namespace|extern)\b[^()]*$")


def check(project):
    """Yields a finding for each function, initializer, accessor or closure that is too long."""
    for file in project.of("swift", "c", "python"):
        spans = _python_functions(file.text) if file.language == "python" else _brace_blocks(file)
        for first, last in spans:
            if last - first + 1 > MAX_FUNCTION_LINES:
                message = f"{last - first + 1} lines, at most {MAX_FUNCTION_LINES}: split it by what each part decides"
                yield Finding(file.path, first, "function-length", message)


def _python_functions(text):
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return []
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [(node.lineno, node.end_lineno) for node in ast.walk(tree) if isinstance(node, kinds)]


def _brace_blocks(file):
    """First and last line of each outermost block that is not a type, a namespace or a table of values."""
    classify = _swift_header if file.language == "swift" else _c_header
    code, stack, boundary, spans = file.code, [], 0, []
    for match in re.finditer(r"[{};]", code):
        at = match.start()
        if match.group() == "{":
            is_body, start = classify(code[boundary:at])
            stack.append((is_body, code.count("\n", 0, boundary + start) + 1))
        elif match.group() == "}" and stack:
            is_body, first = stack.pop()
            if is_body and not any(outer for outer, _ in stack):
                spans.append((first, code.count("\n", 0, at) + 1))
        boundary = at + 1
    return spans


def _swift_header(header):
    """Whether the block after this text is a body, and where in the text its declaration begins."""
    words = list(_SWIFT_WORDS.finditer(header))
    if not words:
        return True, len(header)
    return words[-1].group() not in _SWIFT_TYPES, words[-1].start()


def _c_header(header):
    start = len(header) - len(header.lstrip())
    is_table = header.rstrip().endswith(("=", ",", "{", "return"))
    return not (is_table or _C_TYPES.search(header)), start
