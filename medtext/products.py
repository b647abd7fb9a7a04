"""Strengths of medications, as notes write them and as names of RxNorm do ("lisinopril 10 MG Oral Tablet").

RxNorm's names say how much is in one piece of a product, in milligrams, units or milliequivalents, and of liquids how much in a
millilitre; see its technical documentation, "normalized names".
"""

from __future__ import annotations

import re
from collections.abc import Iterable

AMOUNT = re.compile(
    r"(?<![\d.])(\d[\d,]{0,9}(?:\.\d{1,6})?|\.\d{1,6})\s?-?\s?"
    r"(mcg|micrograms?|[µμ]g|ug|mg|milligrams?|gm?|grams?|units?|meq)\b"
    r"(?!\s?/\s?(?:k?g|m2|m²|\d{1,4}|ml|l|h|hr|hour|min)\b)",
    re.IGNORECASE,
)
"""An amount that a piece may hold; what is said by weight, by area, by volume or by the hour is none."""
COMBINED = re.compile(
    r"(?<![\d./])(\d{1,4}(?:\.\d{1,3})?)\s?[/-]\s?(\d{1,4}(?:\.\d{1,3})?)(?:\s?mg\b|$)", re.IGNORECASE
)
"""The strengths of two ingredients: "5/325 mg", "50-1000"."""
UNITS = {
    "mc": 0.001,
    "µg": 0.001,
    "ug": 0.001,
    "mg": 1.0,
    "mi": 1.0,
    "g": 1000.0,
    "gm": 1000.0,
    "gr": 1000.0,
    "un": 1.0,
    "me": 1.0,
}
"""What a unit is in those of RxNorm, by its first two letters."""
IN_NAME = re.compile(r"(\d+(?:\.\d+)?) (?:MG|UNT|MEQ)(?![/\w])")


def strengths(said: Iterable[str], dose: bool = False) -> frozenset[float]:
    """The amounts that are said of a medication, in milligrams, units or milliequivalents.

    Two numbers are the strengths of two ingredients; of a `dose` only with a stroke and a unit, and else a range, which is none.
    """
    found: set[float] = set()
    for text in said:
        if both := COMBINED.search(text):
            if not dose or ("/" in text and "mg" in text.lower()):
                found.update(map(float, both.groups()))
        else:
            found.update(_amount(*match.groups()) for match in AMOUNT.finditer(text))
    return frozenset(found)


def strengths_of(product: str) -> frozenset[float]:
    """Those of a product, by its name in RxNorm; none of a liquid, an ingredient or a brand."""
    return frozenset(map(float, IN_NAME.findall(product)))


def written(strength: float) -> str:
    """A strength as names of RxNorm write it: "0.025", "10"."""
    return f"{strength:.6f}".rstrip("0").rstrip(".")


def _amount(number: str, unit: str) -> float:
    unit = unit.lower().replace("μ", "µ")
    micro = unit.startswith("micro")
    return round(float(number.replace(",", "")) * (0.001 if micro else UNITS[unit[:2]]), 6)
