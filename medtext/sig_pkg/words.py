"""The words of prescriptions (`rules/sig.tsv`), and the one expression that finds them in a text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from medtext.errors import RuleError
from medtext.rulebook import load_table
from medtext.schema import ATTRIBUTES

VALUED = ("number", "numeral", "time", "frequency")  # kinds whose value is a number
NAMED = ("mass", "counted", "moment", "route")  # kinds whose value is a name
BARE = ("meals", "once", "needed", "reason", "sign", "stop", "dose?", "times?", "limit", "sig", "change", "od")
KINDS = (*VALUED, *NAMED, "per", *BARE)
READ = ("frequency", "moment", "route", "meals", "once", "needed", "stop", "dose?", "times?", "limit", "change", "od")
"""The kinds that mean something wherever they stand; the others only beside a number or after "as needed"."""

MARKS = re.compile(r"[.,\s-]+")
BEFORE, AFTER = r"(?<!\w)", r"(?!\w)"
START = r"(?<!\w)(?<!\d[.,])"  # of a number: not after the point of another
TO = r"\s*(?:-|–|—|to|or|and/or)\s*"
DIGITS = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+"
GLYPHS = {"½": 0.5, "¼": 0.25, "¾": 0.75, "⅓": 1 / 3, "⅔": 2 / 3}
GLYPH = f"[{''.join(GLYPHS)}]"
MIXED = rf"\d+(?:\s*-\s*|\s+and\s+|\s*&\s*|\s+)\d/\d(?!\d)|\d+\s*(?:and\s+)?{GLYPH}|\d/\d(?!\d)|{GLYPH}"


@dataclass(frozen=True, slots=True)
class SigRule:
    """A row of `rules/sig.tsv`, whose head says what each kind means.

    Raises:
        ValueError: for a kind that there is not, a value that does not fit it, or a term that is empty.
    """

    id: str
    kind: str
    terms: str
    value: str = ""
    only: str = ""
    route: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"there is no kind {self.kind!r}")
        if self.kind in VALUED:
            self.amount()
        elif (self.kind in NAMED) != bool(self.value) and self.kind != "per":
            raise ValueError(f"{self.kind!r} and the value {self.value!r} do not go together")
        if self.only and ATTRIBUTES.get(self.only) != "MEDICATION":
            raise ValueError(f"{self.only!r} is no attribute of a medication")
        if not all(key(term) for term in self.terms.split("|")):
            raise ValueError("a term is empty")

    def amount(self) -> float:
        """The value as a number above 0; "1/7" is a fraction."""
        try:
            amount = float(Fraction(self.value))
        except (ValueError, ZeroDivisionError):
            amount = 0.0
        if amount <= 0:
            raise ValueError(f"{self.value!r} is no number above 0")
        return amount


def key(term: str) -> str:
    """A term as it is looked up: without the marks and blanks that people put in or leave out."""
    return MARKS.sub("", term.lower())


def expression(terms: Iterable[str]) -> str:
    """The alternatives of a regular expression for terms, the longest first; it matches text in lower case."""
    ordered = sorted(set(terms), key=lambda term: (-len(term), term))
    return "|".join(_loose(term.lower()) for term in ordered)


def _loose(term: str) -> str:
    inner = re.escape(term.rstrip(".")).replace(r"\.", r"\.?\s?").replace(r"\ ", r"[\s-]+").replace(",", ",?")
    return inner + (r"\.?" if term.endswith(".") else "")


class SigWords:
    """The rules, looked up by what stands in a text, and `item`, which finds the next thing a prescription says.

    Raises:
        RuleError: for a term that stands twice where only one can be meant.
    """

    def __init__(self, rules: Sequence[SigRule]) -> None:
        self.numbers = _amounts(rules, "number")
        self.numerals = _amounts(rules, "numeral")
        self.times = _amounts(rules, "time")
        self.per = _values(rules, "per")
        self.units = {**_values(rules, "mass"), **_values(rules, "counted")}
        self.mass = _values(rules, "mass")
        self.counted = _values(rules, "counted")
        self.route_of = {rule.value: rule.route for rule in rules if rule.route}
        self.words: dict[str, list[SigRule]] = {}
        for rule in rules:
            if rule.kind in READ:
                for term in {key(term) for term in rule.terms.split("|")}:
                    self.words.setdefault(term, []).append(rule)
        for term, found in sorted(self.words.items()):
            if len({rule.only for rule in found}) < len(found):
                raise RuleError(f"sig.tsv: {term!r} means {found[0].id} and {found[1].id}.")
        self.item = re.compile(_item({kind: _expression(rules, kind) for kind in KINDS}, _expression(rules, *READ)))
        self.needed = re.compile(rf"{BEFORE}(?:{_expression(rules, 'needed')}){AFTER}", re.IGNORECASE)
        reasons, signs = _expression(rules, "reason"), _expression(rules, "sign")
        one = rf"(?:(?:{reasons}){AFTER}|(?:{signs})\s*[<>=≤≥]+\s*\d+(?:[./]\d+)*)"
        self.reason = re.compile(rf"{one}(?:(?:\s*[/,&+]\s*|\s+(?:and|or)\s+|,\s*(?:and|or)\s+){one})*", re.IGNORECASE)
        self.break_off = re.compile(rf"{BEFORE}(?:{_expression(rules, 'stop', 'limit')}){AFTER}", re.IGNORECASE)

    def meaning(self, text: str, kind: str, span: str) -> SigRule | None:
        """What a word stands for in the text `span` of type `kind` ("" outside any); some are believed only alone there."""
        found = self.words.get(key(text), ())
        alone = key(self.needed.sub("", span)) == key(text)
        return next((rule for only in (kind, "") for rule in found if rule.only == only and (alone or not only)), None)

    def ends(self, text: str) -> bool:
        """Whether a word tells of a change, so that what follows is another prescription."""
        return any(rule.kind == "change" for rule in self.words.get(key(text), ()))

    def number(self, text: str) -> float | None:
        """The number that `text` writes in digits, words or a numeral; "1 1/2" is 1.5, "one and a half" too."""
        text = text.strip()
        whole, half, _ = text.partition("and a half") if "and a half" in text else text.partition("and one-half")
        if half:
            number = self.number(whole)
            return None if number is None else number + 0.5
        if text.endswith("hundred"):
            number = self.number(text.removesuffix("hundred"))
            return None if number is None else number * 100
        named = self.numbers.get(key(text), self.numerals.get(key(text)))
        return _in_digits(text) if named is None else named


def load_words(folder: Path) -> SigWords:
    """The words of the rules folder's `sig.tsv`. Raises `RuleError`."""
    return SigWords(load_table(folder / "sig.tsv", SigRule))


def _in_digits(text: str) -> float | None:
    total = 0.0
    for part in re.findall(rf"\d+\s*/\s*\d+|{GLYPH}|{DIGITS}", text):
        if part in GLYPHS:
            total += GLYPHS[part]
        elif "/" in part:
            above, below = map(float, part.split("/"))
            total += above / below if below else 0.0
        else:
            total += float(part.replace(",", ""))
    return total or None


def _terms(rules: Iterable[SigRule], *kinds: str) -> list[str]:
    return [term for rule in rules if rule.kind in kinds for term in rule.terms.split("|")]


def _expression(rules: Iterable[SigRule], *kinds: str) -> str:
    return expression(_terms(rules, *kinds))


def _values(rules: Iterable[SigRule], kind: str) -> Mapping[str, str]:
    values: dict[str, str] = {}
    for rule in rules:
        if rule.kind == kind:
            for term in rule.terms.split("|"):
                if key(term) in values and values[key(term)] != rule.value:
                    raise RuleError(f"sig.tsv: {term!r} stands for {values[key(term)]} and {rule.value}.")
                values[key(term)] = rule.value
    return values


def _amounts(rules: Iterable[SigRule], kind: str) -> Mapping[str, float]:
    return {key(term): rule.amount() for rule in rules if rule.kind == kind for term in rule.terms.split("|")}


def _item(kinds: Mapping[str, str], words: str) -> str:
    """The expression of one item, as alternatives with a named group each, the more special first."""
    spoken = rf"(?:{kinds['number']})(?:\s+hundred)?(?:\s+and\s+(?:a|one)[\s-]half)?(?!\w)"
    number = rf"(?:{MIXED}|(?:{DIGITS})(?:\s+and\s+a\s+half)?|{spoken})"
    numeral = rf"(?:{number}|(?:{kinds['numeral']})(?!\w))"
    period = rf"(?:{kinds['time']}|daily|nightly|weekly|monthly|24\s?(?:h|hrs?|hours))(?!\w)"
    per = rf"(?:\s*/\s*(?:{DIGITS})?\s*(?:{kinds['per']}|{kinds['counted']}|{kinds['mass']})(?!\w))*"
    unit_per_day = r"(?:/|\ba|\bper|\beach|\bevery|\bin\s+a)"
    said_again = r"(?:\s*\(\s*[^()]{1,8}\s*\))?"  # "two (2) tablets"
    strength = rf"(?:(?:\s+(?:of\s+)?|\s*(?:x|×)\s*)(?:{DIGITS})\s*-?\s*(?:{kinds['mass']})\s+)?"  # "two 20 mg tablets"
    alternatives = {
        "scheme": rf"(?<![\w/-])(?:{MIXED}|\d+(?:\.\d)?)(?:\s?-\s?(?:{MIXED}|\d+(?:\.\d)?)){{2,3}}(?![\w/-])",
        "often": rf"{START}(?:once|twice|thrice|(?P<often_low>{number})(?:{TO}(?P<often_high>{number}))?\s*(?:x|×|times?)"
        rf"|(?:x|×)\s*(?P<often_x>\d+)(?=\s*(?:/|a\s|per\s|daily))"
        rf"|(?P<often_slash>\d+(?:{TO}\d+)?)(?=\s*/\s*(?:d|day|24\s?h|wk|week)(?!\w)))"
        rf"(?:{TO}(?P<often_twice>twice))?\s*{unit_per_day}?\s*(?P<often_period>{period})",
        "weeks": r"(?<![\w./])(?:x\s*)?(?P<weeks_low>\d{1,2})\s?/\s?(?P<weeks_of>7|52|12)(?![\w/.]|\s?(?:tab|cap))",
        "span": rf"{START}(?:(?P<span_how>for|times|x|×)\s*)?(?:(?:the|a\s+total\s+of|a|next|another|full|additional)\s+)*"
        rf"(?P<span_low>{number})(?:{TO}(?P<span_high>{number}))?\s*(?:more|additional|further|full)?[\s-]*"
        rf"(?P<span_unit>{kinds['time']})\.?(?![\w/])(?P<span_course>\s+course)?(?P<span_supply>\s+supply)?",
        "hourly": rf"{START}(?P<hourly_low>{number})(?:{TO}(?P<hourly_high>{number}))?\s*-?\s*(?P<hourly_unit>hourly|hrly|hly|hrs?ly|monthly|weekly|wkly){AFTER}",
        "dispensed": rf"#\s*\d+|{BEFORE}(?:disp(?:ense)?d?|qty|quantity|refills?|rf|total\s+of)(?!\w)[\s:.#]*(?:{number})?(?:\s*(?:{kinds['counted']})(?!\w))?"
        rf"|{START}\d+\s*(?:refills?|rf)(?!\w)",
        "percent": rf"{START}(?:{DIGITS})\s*%",
        "counted": rf"{START}(?:[x×]\s*)?(?P<counted_low>{numeral}){said_again}(?:(?:\s*(?:{kinds['counted']})(?!\w))?{TO}"
        rf"(?P<counted_high>{numeral}))?\s*-?\s*{strength}(?P<counted_unit>{kinds['counted']})\.?(?!\w)(?P<counted_per>{per})",
        "mass": rf"(?<![\w./])(?:(?P<mass_times>\d)\s*(?:x|×)\s*)?(?P<mass_low>{number})(?:\s*(?:{kinds['mass']})?(?P<mass_per_low>{per}){TO}"
        rf"(?P<mass_high>{number}))?\s*-?\s*(?P<mass_unit>{kinds['mass']})(?!\w)(?P<mass_per>{per})",
        "repeat": rf"{BEFORE}(?:x|×|times)\s*(?:{numeral})(?:{TO}\d+)?\s*(?:doses?|times?)?(?![\w.%])|{BEFORE}(?:{number})\s+doses{AFTER}",
        "combined": rf"(?<![\w./])(?!(?:1/[234]|[23]/[34])(?![\d/]))(?:{DIGITS})(?:\s?/\s?(?:{DIGITS}))+\s*(?:(?:{kinds['mass']})(?!\w))?",
        "clock": rf"(?:{BEFORE}q\s?)?{START}\d{{1,2}}(?::\d\d)?\s?[ap]\.?m\.?{AFTER}",
        "word": rf"{BEFORE}(?:{words}){AFTER}",
        "form": rf"{BEFORE}(?:{kinds['counted']}){AFTER}",
        "every": rf"{BEFORE}(?:q|every|each|ev)\.?\s*(?P<every_low>{number})(?:\s*(?:{kinds['time']})?{TO}(?:q\.?\s*)?(?P<every_high>{number}))?"
        rf"[\s.-]*(?P<every_unit>(?:{kinds['time']})(?!\w))?(?!\w)",
        "each": rf"{BEFORE}(?:q|every)\.?\s*(?P<each_unit>{kinds['time']})(?!\w)",
        "number": rf"{START}(?P<number_low>{numeral})(?:{TO}(?P<number_high>{numeral}))?(?![\w%])",
        "sig": rf"{BEFORE}(?:{kinds['sig']}){AFTER}",
        "next": ";",
    }
    return "|".join(rf"(?P<{name}>{pattern})" for name, pattern in alternatives.items())
