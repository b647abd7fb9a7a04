"""Laboratories' marks beside results: "H", "(L)", "*", "(!)", "Critical".

Most are letters that say other things as well: "L" is litres or left, "H" hours, and behind a count of platelets "L" is a
lakh. What one means is decided here alone; the marks are in `rules/values.tsv`.
"""

import re
from collections.abc import Collection, Mapping

from medtext.rulebook import any_of
from medtext.schema import Value

STRENGTHS = ("flag", "letter-flag", "weak-flag")
"""How far a mark is believed; see the head of `rules/values.tsv`."""
UNITS_TOO = {"L": "volume", "H": "hours", "S": "seconds", "C": "temperature"}
"""Marks that are units where the test has this role."""
PER_VOLUME = re.compile(r"/[dmuf]?L$")
LAKHS = 10  # "Plt 1.9 L" is 190,000


class Marks:
    """Knows the marks, and what each says beside a result."""

    def __init__(self, codes: Mapping[str, Mapping[str, str]]) -> None:
        """`codes` are what the marks of each strength mean."""
        self._strengths = {mark: strength for strength in STRENGTHS for mark in codes[strength]}
        self._codes = {mark: code for strength in STRENGTHS for mark, code in codes[strength].items()}
        words = [mark for mark in self._codes if len(mark) > 2]
        letters = [mark for mark in self._codes if len(mark) <= 2]
        any_mark = rf"(?:(?i:{any_of(words, whole=True)})|{any_of(letters, whole=True)})"
        self.bracketed = rf"[(\[]\s?{any_mark}\s?[)\]]"
        self.expression = rf"(?:{self.bracketed}|{any_mark}(?!\w))"
        """Finds a mark, in brackets or not."""

    def is_one(self, written: str, roles: Collection[str]) -> bool:
        """Whether this, behind a number of a test with these roles, is a mark and no unit."""
        mark = self._bare(written)
        return mark in self._codes and UNITS_TOO.get(mark) not in roles

    def code(self, written: str, roles: Collection[str], value: Value | None = None) -> str | None:
        """What a mark says of `value`, or beside a reference range (without it); None where it may be something else."""
        mark = self._bare(written)
        if not self.is_one(written, roles):
            return None
        return self._codes[mark] if value is None or self._is_sure(mark, roles, value, written != mark) else None

    def _is_sure(self, mark: str, roles: Collection[str], value: Value, in_brackets: bool) -> bool:
        strength = self._strengths[mark]
        if strength == "flag":
            return True
        if "laboratory" not in roles and not PER_VOLUME.search(value.unit):
            return False
        if strength == "weak-flag":
            return in_brackets
        few = value.high is not None and value.high < LAKHS and not value.unit
        return not ("lakhs" in roles and few)

    def _bare(self, written: str) -> str:
        """A mark without its brackets, and a word in lower case."""
        mark = written if written in self._codes else written.strip("()[] ")
        return mark.lower() if len(mark) > 2 else mark
