"""Finds phrases that ``docs/glossary.md`` replaces by plain English; ``make check`` runs it over code and documents.

``python -m tests.wording`` prints each with its line and what to write instead, and exits with 1 if there are any.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("schemas", "services", "deploy", "tests", "docs", "web/src", "web/tests", "web/browser")
SUFFIXES = {".css", ".md", ".mjs", ".py", ".sh", ".sql", ".ts", ".tsx"}
EXCEPTED = (
    # Frozen, and what follows from them.
    "schemas/migrations/",
    "schemas/schema.sql",
    # These name the phrases.
    "docs/glossary.md",
    "tests/wording.py",
    "tests/unit/test_wording.py",
)

PHRASES = {
    r"\banew\b": "again, or a verb with re-: recreated, recomputed",
    r"\b(held?|holds?|holding) (\w+ ){0,4}against\b": "compare with, validate, check",
    r"(?:\"\"\"|# |[.,:;] |\band |\bto )see that\b|\bsee_that": "check that",
    r"\b(it is|they are) (?-i:none)\b": "it is invalid, it is missing",
    r"\bfelt_": "affected_",
    r"\bbeliev(e|es|ed|ing)\b": "assume, or what the value is",
    r"\b(makes?|made|making) again\b": "recreate, recompute, repeat",
    r"\bheld to\b|\bholds? (it|them|this) to\b": "compare with, check by",
    r"\bpass(ed|es|ing)? over\b": "ignore, skip",
    r"\bwithout a word\b|\bin silence\b": "silently",
    r"\b(can|could|cannot)( not)? be had\b|\bto be had\b": "be acquired, be available",
    r"\banother than\b": "other than, different from",
    r"\b(said|told)\b": "report, log, print, return, or what the value is",
    r"\bfor want of\b": "for lack of",
    r"\bin vain\b": "without success",
    r"\breckon(s|ed|ing)?\b": "compute",
}
"""What to write instead, by a regular expression that ignores case; a space stands for any white space."""


def files(root: Path) -> Iterator[Path]:
    """Yield the files that people read: code and documents, without generated and frozen ones."""
    yield from sorted(root.glob("*.md"))
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in SUFFIXES and not str(path.relative_to(root)).startswith(EXCEPTED):
                yield path


def complaints(name: str, text: str) -> Iterator[str]:
    """Report each phrase in a text, as ``NAME:LINE: "PHRASE": write ...``."""
    for pattern, instead in PHRASES.items():
        for found in re.finditer(pattern.replace(" ", r"\s+"), text, re.IGNORECASE):
            line = text.count("\n", 0, found.start()) + 1
            yield f'{name}:{line}: "{" ".join(found[0].split())}": write {instead}'


def main(root: Path = ROOT) -> int:
    """Report the phrases in all files. Returns 1 if there are any."""
    found = [line for path in files(root) for line in complaints(str(path.relative_to(root)), path.read_text("utf-8"))]
    for line in found:
        print(line, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
