"""Strengths of medications, as notes write them and as names of RxNorm do ("lisinopril 10 MG Oral Tablet").

RxNorm's names say how much is in one piece of a product, in milligrams, units or milliequivalents, and of liquids how much in a
millilitre; see its technical documentation, "normalized names".
"""

from __future__ import annotations

import re
from collections.abc import Iterable

AMOUNT = re.compile(
    r"(?<![\d.])(\d[\d,]{0,9}(?:\.\d{1,6})?|\.\d{1,6})\s?-?\s?(mcg|micrograms?|µg|ug|mg|milligrams?|gm?|grams?|units?|meq)\b"
    r"(?!\s?/\s?(?:k?g|ml|l|h|hr|min)\b)",
    re.IGNORECASE,
)
COMBINED = re.compile(
    r"(?<![\d./])(\d{1,4}(?:\.\d{1,3})?)\s?[/-]\s?(\d{1,4}(?:\.\d{1,3})?)(?:\s?mg\b|$)", re.IGNORECASE
)
"""The strengths of two ingredients: "5/325 mg", "50-1000"."""
MILLIGRAMS = {"mc": 0.001, "mi": 1.0, "µg": 0.001, "ug": 0.001, "mg": 1.0, "g": 1000.0, "gm": 1000.0, "gr": 1000.0}
IN_NAME = re.compile(r"(\d+(?:\.\d+)?) (?:MG|UNT|MEQ)(?![/\w])")


def strengths(said: Iterable[str]) -> frozenset[float]:
    """The amounts in what stands beside a medication, in milligrams, units or milliequivalents."""
    found: set[float] = set()
    for text in said:
        if combined := COMBINED.search(text):
            found.update(map(float, combined.groups()))
        else:
            found.update(_amount(*match.groups()) for match in AMOUNT.finditer(text))
    return frozenset(found)


def strengths_of(product: str) -> frozenset[float]:
    """Those of a product, by its name in RxNorm; none of a liquid, an ingredient or a brand."""
    return frozenset(map(float, IN_NAME.findall(product)))


def _amount(number: str, unit: str) -> float:
    unit = unit.lower()
    factor = 0.001 if unit.startswith("microgram") else MILLIGRAMS.get(unit[:2], 1.0)
    return round(float(number.replace(",", "")) * factor, 6)


def written(strength: float) -> str:
    """A strength as names of RxNorm write it: "0.025", "10"."""
    return f"{strength:.6f}".rstrip("0").rstrip(".")
