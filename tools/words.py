"""Check every text of the repository against the word list, docs/development/words.toml.

    build/engine/bin/python tools/words.py

Texts are strings, docstrings, comments and the names of tests in Python files, the Markdown pages
without their code, and the texts that the plugin and the models bring in other formats. A finding
is printed as FILE:LINE: the phrase, what to say instead.
"""

from __future__ import annotations

import ast
import io
import json
import re
import subprocess
import sys
import tokenize
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
LIST = ROOT / "docs" / "development" / "words.toml"

NO_WORDS = re.compile(
    r"``[^`]*``|`[^`]*`"  # code
    r"|^ +\w+(?=: )"  # names of arguments
    r"|https?://\S+|\w+://\S+"
    r"|</?[a-zA-Z!][^<>]*>"  # tags
    r"|\{[^{}]*\}"  # fields of f-strings
    r"|\b\w*_\w*\b|\b[A-Z][A-Z0-9]+\b|\b\w+(\.\w+)+\b|\b\w+(/\w+)+\b",  # names in code
    re.MULTILINE,
)
COMMAND = re.compile(r"qgis_process(?: \S+)* run (glacier:\w+)((?:[^\n`'\"]|\\\n)*)")
ARGUMENT = re.compile(r"(--|[A-Za-z]\w*=\S*|[…\\.]+|-)")


class Text(NamedTuple):
    """A text that a person reads."""

    line: int
    text: str


class Rule(NamedTuple):
    """A pattern to avoid, and what to say instead."""

    pattern: re.Pattern[str]
    say: str


class Exemption(NamedTuple):
    """Where a phrase is allowed, and why."""

    files: str
    phrase: str
    reason: str


class Finding(NamedTuple):
    """A phrase that breaks a rule."""

    path: Path
    line: int
    phrase: str
    say: str

    def __str__(self) -> str:
        """Return it as one line."""
        return f"{self.path}:{self.line}: '{self.phrase}': say {self.say}"


class WordList:
    """The rules and exemptions of a word list."""

    def __init__(self, text: str) -> None:
        """Read a list in TOML."""
        data = tomllib.loads(text)
        self.rules = [
            Rule(_whole_words(pattern), entry["say"])
            for entry in data["words"]
            for pattern in entry["not"]
        ]
        self.exemptions = [Exemption(**entry) for entry in data.get("exemptions", [])]

    def check(self, path: Path, text: Text) -> Iterator[Finding]:
        """Yield what breaks a rule in a text, whether exempted or not."""
        words = NO_WORDS.sub(lambda code: "\n" * code[0].count("\n") or " … ", text.text)
        for rule in self.rules:
            for match in rule.pattern.finditer(words):
                line = text.line + words.count("\n", 0, match.start())
                yield Finding(path, line, " ".join(match[0].split()), rule.say)

    def exempts(self, finding: Finding) -> Exemption | None:
        """Return the first exemption of a finding."""
        for exemption in self.exemptions:
            if finding.phrase.lower() == exemption.phrase.lower() and fnmatch(
                finding.path.as_posix(), exemption.files
            ):
                return exemption
        return None


def texts(path: Path) -> Iterator[Text]:
    """Yield the texts in a file of a known format."""
    content = path.read_text(encoding="utf-8")
    match path.suffix:
        case ".py":
            yield from python_texts(content)
        case ".md":
            yield from page_texts(content)
        case ".json":
            yield from (Text(1, value) for value in _strings(json.loads(content)))
        case ".txt" | ".html" | ".model3" | ".cff":
            yield Text(1, content)
        case _:
            for number, line in enumerate(content.splitlines(), 1):
                if "#" in line:
                    yield Text(number, line.partition("#")[2])


def python_texts(source: str) -> Iterator[Text]:
    """Yield docstrings, other strings of several words, comments and the names of tests."""
    tree = ast.parse(source)
    parts = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in ast.walk(node)
        if part is not node
    }
    for node in ast.walk(tree):
        if id(node) in parts:
            continue
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield Text(node.lineno, node.name.replace("_", " "))
        elif isinstance(node, ast.JoinedStr):
            yield Text(node.lineno, "".join(map(_literal, node.values)))
        elif isinstance(node, ast.Constant) and _is_prose(node.value):
            yield Text(node.lineno, str(node.value))
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield Text(token.start[0], token.string)


def page_texts(page: str) -> Iterator[Text]:
    """Yield the text of a Markdown page without its blocks of code."""
    blanked = re.sub(
        r"^( *)(```+|~~~+)(?!\{).*?^\1\2",
        lambda block: "\n" * block[0].count("\n"),
        page,
        flags=re.MULTILINE | re.DOTALL,
    )
    yield Text(1, re.sub(r"\]\([^)]*\)", "]", blanked))


def command_faults(content: str) -> Iterator[tuple[int, str]]:
    """Yield line and text of each command ``qgis_process run glacier:…`` with another spelling."""
    for match in COMMAND.finditer(content):
        arguments = match[2].replace("\\\n", " ").split()
        if arguments and (
            arguments[0] not in ("--", "…") or not all(map(ARGUMENT.match, arguments))
        ):
            yield content.count("\n", 0, match.start()) + 1, " ".join(match[0].split())


def checked_files() -> list[Path]:
    """Return the files of the repository that have texts, relative to its root."""
    listed = subprocess.run(
        ["git", "ls-files"],  # noqa: S607  the one that is installed
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\n")
    patterns = tomllib.loads(LIST.read_text(encoding="utf-8"))["files"]
    return [
        Path(name)
        for name in listed
        if any(fnmatch(name, pattern) for pattern in patterns["checked"])
        and not any(fnmatch(name, pattern) for pattern in patterns["left_out"])
    ]


def findings(words: WordList) -> list[Finding]:
    """Return everything in the repository that breaks a rule, exempted or not."""
    found: list[Finding] = []
    for path in checked_files():
        for text in texts(ROOT / path):
            found += words.check(path, text)
        content = (ROOT / path).read_text(encoding="utf-8")
        found += [
            Finding(path, line, command, "qgis_process run glacier:… -- NAME=value")
            for line, command in command_faults(content)
        ]
    return found


def _whole_words(pattern: str) -> re.Pattern[str]:
    """Return a pattern of whole words, in which a blank also matches a line break."""
    spaced = pattern.replace(" ", r"(?:[ \t]+|[ \t]*\n[ \t]*)")
    return re.compile(rf"(?<![\w-])(?:{spaced})(?![\w-])", re.IGNORECASE)


def _is_prose(value: object) -> bool:
    """Return whether a constant is a text: one word in lower case is a name in code."""
    return isinstance(value, str) and (" " in value or value.istitle())


def _literal(part: ast.expr) -> str:
    """Return the text of a part of an f-string, … for a field."""
    if isinstance(part, ast.Constant):
        return str(part.value)
    return "…"


def _strings(value: object) -> Iterator[str]:
    """Yield the strings in a value from JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def main() -> int:
    """Print what is not exempted; return 1 if there is any."""
    words = WordList(LIST.read_text(encoding="utf-8"))
    wrong = [finding for finding in findings(words) if words.exempts(finding) is None]
    for finding in wrong:
        print(finding)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
