"""Turn docstrings written for a terminal into pages, where their formulas and signs are mathematics, not markup."""

import re

# left unchanged: code, list bullets, bold and emphasised words
MARKUP = r"(``.*?``|`[^`]*`|^\s*\* |\*\*\w[^*]*\*\*|(?<![\w*)\]])\*\w[^*|]*\w\*(?![\w*]))"


def apart(lines: list[str]) -> list[str]:
    """Put indented formulas directly below or above a sentence into literal blocks.

    A line followed by an indented text and an empty line is a definition and stays one.
    """
    result: list[str] = []
    i, code = 0, False
    while i < len(lines):
        line, end = lines[i], i + 1
        base, before = _indent(line), result[-1] if result else ""
        code = (code or before.rstrip().endswith("::")) if not before.strip() or base > _indent(before) else False
        if line.strip() and before.strip() and base > _indent(before) and not code and not _hangs(before, base):
            while end < len(lines) and (not lines[end].strip() or _indent(lines[end]) >= base):
                end += 1
            last = max(n for n in range(i, end) if lines[n].strip()) + 1
            # docutils takes a single line above an indented text, and an empty one below it, for a definition
            several = len(result) > 1 and result[-2].strip() and _indent(result[-2]) == _indent(before)
            if several or (last == end and end < len(lines)):
                outside = " " * _indent(before)
                result += ["", f"{outside}::", "", *lines[i:last], ""]
                i = last
                continue
            result += lines[i:last]
            i = last
            continue
        result.append(line)
        i += 1
    return result


def plain_signs(lines: list[str]) -> list[str]:
    """Escape ``|r|``, ``W*`` and ``r_``, which are mathematics; leave code, lists, examples and emphasised words unchanged."""
    result = []
    literal, example = None, False  # indent of the line that announces a block of code; within an example
    for line in lines:
        text = line.strip()
        if literal is None or (text and _indent(line) <= literal):
            literal = _indent(line) if text.endswith("::") else None
            example = bool(text) and (example or text.startswith(">>>"))  # up to the next empty line
            if not example:
                pieces = re.split(MARKUP, line)
                line = "".join(piece if n % 2 else re.sub(r"(?<!\\)([|*]|(?<=\w)_(?!\w))", r"\\\1", piece)
                               for n, piece in enumerate(pieces))
        result.append(line)
    return result


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _hangs(before: str, indent: int) -> bool:
    """Whether a line of that indent goes on with the entry of a list."""
    bullet = re.match(r"\s*(?:[*\-•]|\d+[.)])\s+", before)
    return bullet is not None and indent == bullet.end()


def process(app, what, name, obj, options, lines) -> None:
    """For ``autodoc-process-docstring``, before numpydoc."""
    lines[:] = plain_signs(apart(lines) if what == "module" else list(lines))
