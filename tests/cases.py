"""Reads the marked-up cases of `tests/cases`: one a line, and all that there is to find in it.

    She denies [chest pain|DX_NAME SYMPTOM,NEGATION].
    [Pain|DX_NAME SYMPTOM #1] in the [left|DIRECTION @1] [knee|SYSTEM_ORGAN_SITE @1].
    The chart was reviewed. # none
    It is what it is. # none

A mark is `[text|TYPE]`, with the traits after a blank, a number `#1` that others can name, and `@1` for what it hangs on.
A line without a mark must say `# none`; one that medtext is known to get wrong says `# xfail`, and must go on failing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from medtext.schema import TRAITS, TYPES

FOLDER = Path(__file__).parent / "cases"
MARK = re.compile(r"\[([^\[\]|]+)\|([A-Z_]+)((?: [^\]\s]+)*)\]")
NOTE = re.compile(r"\s+#\s*(none|xfail)\b.*$")

Place = tuple[int, int, str]


@dataclass(frozen=True)
class Case:
    """A line's text, and what is to be found in it."""

    id: str
    text: str
    traits: dict[Place, frozenset[str]]
    links: dict[Place, Place]
    fails: bool

    def __str__(self) -> str:
        return self.id


def read_cases() -> list[Case]:
    """Every case of every file, named by file and line."""
    return [case for path in sorted(FOLDER.glob("*.txt")) for case in cases_of(path)]


def cases_of(path: Path) -> Iterator[Case]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            yield parse(line, f"{path.stem}:{number}")


def parse(line: str, name: str) -> Case:
    """The case of a line. Raises `ValueError` for a line that marks nothing without saying so, or marks it wrongly."""
    said = NOTE.search(line)
    body = line[: said.start()] if said else line.rstrip()
    note = said.group(1) if said else ""
    text, numbers, hung = "", {}, {}
    traits: dict[Place, frozenset[str]] = {}
    end = 0
    for mark in MARK.finditer(body):
        surface, kind, rest = mark.groups()
        text += body[end : mark.start()]
        place = (len(text), len(text) + len(surface), kind)
        text += surface
        end = mark.end()
        if kind not in TYPES:
            raise ValueError(f"{name}: there is no type {kind}")
        named = [word for word in rest.split() if word[0] not in "#@"]
        traits[place] = frozenset(trait for word in named for trait in word.split(","))
        if unknown := traits[place] - set(TRAITS):
            raise ValueError(f"{name}: there is no trait {sorted(unknown)[0]}")
        for word in rest.split():
            if word[0] == "#":
                numbers[word[1:]] = place
            elif word[0] == "@":
                hung[place] = word[1:]
    text += body[end:]
    if "[" in text or "|" in text:
        raise ValueError(f"{name}: a mark is not closed")
    if bool(traits) == (note == "none") and note != "xfail":
        raise ValueError(f"{name}: the line marks nothing; say '# none' if there is nothing to find")
    return Case(name, text, traits, {place: numbers[number] for place, number in hung.items()}, note == "xfail")
