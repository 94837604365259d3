"""Blanks what is not code, so that a rule sees neither a brace in a string nor a keyword in a comment.

Every character stays at its line and column. Comments and strings become spaces; a raw identifier such as
`a late row` becomes letters, so that it still reads as one name.
"""

import re

# Nothing in such a run can open a comment or a literal, nor change the depth of an interpolation.
_PLAIN = re.compile(r"""(?:[^/\\"`#'()R]|R(?!"))+""")


def mask(text, language):
    """The text with comments and literals blanked; languages other than Swift and C come back as they are."""
    if language == "swift":
        return _Masker(text, swift=True).run()
    if language == "c":
        return _blank_directives(_Masker(text, swift=False).run())
    return text


def _blank_directives(text):
    """Preprocessor lines, their continuations too: a macro's braces belong to no function."""
    directive = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)
    return directive.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


class _Masker:
    """One pass over the text; `self.out` receives as many characters as are read."""

    def __init__(self, text, swift):
        self.text, self.swift, self.at, self.out = text, swift, 0, []

    def run(self):
        """The masked text."""
        while self.at < len(self.text):
            self._step()
        return "".join(self.out)

    def _starts(self, prefix):
        return self.text.startswith(prefix, self.at)

    def _keep(self, count=1):
        self.out.append(self.text[self.at : self.at + count])
        self.at += count

    def _blank(self, count=1, filler=" "):
        piece = self.text[self.at : self.at + count]
        self.out.append(re.sub(r"[^\n]", filler, piece))
        self.at += len(piece)

    def _blank_to(self, end, include):
        """Blanks up to the next `end`, or to the end of the file; `include` blanks the end mark too."""
        found = self.text.find(end, self.at)
        stop = len(self.text) if found < 0 else found + (len(end) if include else 0)
        self._blank(stop - self.at)

    def _step(self):
        plain = _PLAIN.match(self.text, self.at)
        if plain:
            self._keep(plain.end() - self.at)
            return
        character = self.text[self.at]
        if self._starts("//"):
            self._blank_to("\n", include=False)
        elif self._starts("/*"):
            self._block_comment()
        elif self.swift and character == "`":
            end = self.text.find("`", self.at + 1)
            self._blank((end if end > 0 else len(self.text)) - self.at + 1, filler="x")
        elif self.swift and character in '#"':
            self._swift_literal()
        elif not self.swift and self._starts('R"'):
            delimiter = self.text[self.at + 2 : self.text.find("(", self.at)]
            self._blank(2)
            self._blank_to(")" + delimiter + '"', include=True)
        elif not self.swift and character in "\"'" and not self._is_digit_separator():
            self._c_literal(character)
        else:
            self._keep()

    def _is_digit_separator(self):
        """C++ writes 1'000; that quote opens nothing."""
        return self._starts("'") and self.at > 0 and self.text[self.at - 1].isalnum()

    def _block_comment(self):
        """Swift's comments nest, C's do not."""
        depth = 0
        while self.at < len(self.text):
            if self._starts("/*") and (self.swift or depth == 0):
                depth += 1
                self._blank(2)
            elif self._starts("*/"):
                depth -= 1
                self._blank(2)
                if depth == 0:
                    return
            else:
                self._blank()

    def _c_literal(self, quote):
        self._blank()
        while self.at < len(self.text) and not self._starts(quote) and not self._starts("\n"):
            self._blank(2 if self._starts("\\") else 1)
        self._blank()

    def _swift_literal(self):
        hashes = len(self.text) - self.at - len(self.text[self.at :].lstrip("#"))
        marks = "#" * hashes
        if self._starts(marks + '"'):
            self._swift_string(marks)
        elif hashes and self._starts(marks + "/"):
            self._blank(hashes + 1)
            self._blank_to("/" + marks, include=True)
        else:
            self._keep(max(hashes, 1))

    def _swift_string(self, marks):
        quotes = '"""' if self._starts(marks + '"""') else '"'
        self._blank(len(marks) + len(quotes))
        escape = "\\" + marks
        while self.at < len(self.text):
            if self._starts(quotes + marks):
                self._blank(len(quotes) + len(marks))
                return
            if self._starts(escape + "("):
                self._interpolation(len(escape) + 1)
            elif self._starts(escape):
                self._blank(len(escape) + 1)
            elif quotes == '"' and self._starts("\n"):
                return
            else:
                self._blank()

    def _interpolation(self, opening):
        """Code inside a string, which may hold strings of its own; all of it is blanked."""
        self._blank(opening)
        depth, start = 1, len(self.out)
        while self.at < len(self.text) and depth:
            depth += {"(": 1, ")": -1}.get(self.text[self.at], 0)
            self._step()
        self.out[start:] = [re.sub(r"[^\n]", " ", "".join(self.out[start:]))]
