"""A copy of the repository's Python, to which the examples of CONTRIBUTING.md are added."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
COPIED = ("schemas", "services", "deploy", "tests", "docs", "typings", "pyproject.toml", "CONTRIBUTING.md")


def example(section: str, language: str) -> str:
    """Return the first block in a language below a heading of CONTRIBUTING.md."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    below = text.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    found = re.search(rf"^```{language}\n(.*?)^```$", below, re.DOTALL | re.MULTILINE)
    assert found, f"CONTRIBUTING.md has no {language} below {section!r}"
    return found[1]


@dataclass(frozen=True)
class Copy:
    """A copy of the repository."""

    root: Path

    def append(self, path: str, entry: str) -> None:
        """Add an entry at the end of the one list in a JSON file, as an editor would."""
        file = self.root / path
        text = file.read_text(encoding="utf-8")
        end = text.rindex("\n  ]\n}")
        file.write_text(f"{text[:end]},\n{entry.rstrip()}{text[end:]}", encoding="utf-8")
        json.loads(file.read_text(encoding="utf-8"))

    def add_migration(self, name: str, sql: str) -> None:
        """Add a migration under the next number."""
        folder = self.root / "schemas/migrations"
        number = 1 + max(int(path.name[:4]) for path in folder.glob("[0-9]*.sql"))
        (folder / f"{number:04}_{name}.sql").write_text(sql, encoding="utf-8")

    def run(self, *arguments: str) -> str:
        """Run Python in the copy, on the copy's modules; what it prints."""
        environment = {**os.environ, "PYTHONPATH": str(self.root), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            [sys.executable, *arguments], cwd=self.root, capture_output=True, text=True, check=False, env=environment
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def copy_to(folder: Path) -> Copy:
    """Copy the repository's Python and its documents."""
    for name in COPIED:
        source, target = ROOT / name, folder / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
        else:
            shutil.copy(source, target)
    return Copy(folder)
