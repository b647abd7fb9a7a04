"""The words of prescriptions (`rules/sig.tsv`), and what each stands for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from medtext.errors import RuleError
from medtext.rulebook import load_table
from medtext.schema import ATTRIBUTES
from medtext.sig.shapes import filled, item

VALUED = ("number", "numeral", "time", "frequency")  # kinds whose value is a number
NAMED = ("mass", "counted", "moment", "route")  # kinds whose value is a name
BARE = (
    "meals",
    "once",
    "needed",
    "title",
    "reason",
    "sign",
    "stop",
    "dose?",
    "scale",
    "smeared",
    "times?",
    "divided",
    "limit",
    "sig",
    "container",
    "ceiling",
    "overdose",
    "between",
    "attempt",
    "altered",
    "change",
    "former",
    "od",
)
KINDS = (*VALUED, *NAMED, "per", *BARE)
READ = (
    *(
        "frequency",
        "moment",
        "route",
        "meals",
        "once",
        "needed",
        "stop",
        "dose?",
        "scale",
        "times?",
        "divided",
        "limit",
    ),
    *("ceiling", "altered", "change", "od", "smeared"),
)
"""The kinds that mean something wherever they stand; the others only beside a number or after "as needed"."""

REMEMBERED = 1 << 12  # words whose key or number is kept
MARKS = re.compile(r"[.,\s-]+")
GLYPHS = {"½": 0.5, "¼": 0.25, "¾": 0.75, "⅓": 1 / 3, "⅔": 2 / 3}
BEHIND = r"(?<=[btq]id)|(?<=\dh)|(?<=daily)|(?<=\bpo)"
"""Where "as needed" begins when a blank was left out: "BIDPRN", "Q6HPRN"."""
TITLE = (
    r"@begin(?:(?:@words_title)@end|(?:@words_needed)(?=[ \t]*:)) *(?:(?P<colon>:)(?: *\(\d{1,3}\))?|(?=\r?\n))"
    r"(?P<gap>\s*(?:[•*·#–-]|\d{1,2}[.)])?[ \t]*)\Z"
)
"""Right before a drug, the title of a list of those that are taken as needed: "PRN meds:", "PRN: (3)"."""
CEILING = (
    r"(?<!\bon )(?<!\bat )@begin(?:@words_ceiling|more than)@end"
    r"(?:[ :]+(?:daily|total|dose|dosage|amount|use|of|the|your|her|his)@end)*[ :~]*\Z"
)
"""Right before a drug, that it is told how much may be taken at most; she who is "on max" takes it."""
OVERDOSE = (
    r"(?<!\d )(?<!mg )(?<!gtts )(?<!gtt )(?<!drop )@begin(?:@words_overdose)@end"
    r"(?:[ ~≈<>]|[:-] (?=@words_between|\w+'s)|(?:@words_between|\w+'s)@end)*\Z"
)
"""Right before a drug, that it was taken at once; not "5 mg OD of"."""
ATTEMPT = r" *(?P<to>(?:in|as|with|to) (?:(?:@words_between|apparent|possible|recent) )*)?(?:@words_attempt)@end"
"""The same behind a drug, or with a preposition behind its dose."""
GROUPS = tuple(
    (re.compile(rf"(.+?)\s+{name}(?:\s+(?:and\s+)?(.+))?"), many)
    for name, many in (("thousand", 1000), ("hundred", 100))
)
TENS = re.compile(r"(\w+)[\s-]+(\w+)")
DECIMAL = re.compile(r"(?:(.+?)\s+)?point\s+(.+)")  # "three point one two five", "point oh five"
DIGITS = re.compile(filled(r"\d+\s*/\s*\d+|@glyph|@digits", {}))


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
        if self.kind in VALUED or (self.kind == "divided" and self.value):
            self.amount()
        elif (self.kind in NAMED) != bool(self.value) and self.kind not in ("per", "divided"):
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


@lru_cache(REMEMBERED)
def key(term: str) -> str:
    """A term as it is looked up: without the marks and blanks that people put in or leave out."""
    return MARKS.sub("", term.lower())


def lowered(text: str) -> str:
    """The text in lower case, at the same offsets: a letter that becomes two stays."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(letter.lower() if len(letter.lower()) == 1 else letter for letter in text)


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
        self.mass = _values(rules, "mass")
        self.counted = _values(rules, "counted")
        self.route_of = {rule.value: rule.route for rule in rules if rule.route}
        self.number = lru_cache(REMEMBERED)(self._number)
        """The number that a text writes in digits, words or a numeral; "1 1/2" is 1.5, "one and a half" too."""
        self.words: dict[str, list[SigRule]] = {}
        for rule in rules:
            if rule.kind in READ:
                for term in {key(term) for term in rule.terms.split("|")}:
                    self.words.setdefault(term, []).append(rule)
        for term, found in sorted(self.words.items()):
            if len({rule.only for rule in found}) < len(found):
                raise RuleError(f"sig.tsv: {term!r} means {found[0].id} and {found[1].id}.")
        terms = {kind: _expression(rules, kind) for kind in KINDS} | {"read": _expression(rules, *READ)}
        terms["ones"] = "|".join(sorted(word for word, number in self.numbers.items() if number in range(1, 10)))
        terms["tens"] = "|".join(sorted(word for word, number in self.numbers.items() if number in range(20, 100, 10)))
        self.item = item(terms)
        """Finds the next thing that a prescription says, in text in lower case."""
        self.needed = _anywhere(rf"(?:@begin|{BEHIND})(?:@words_needed)@end", terms)
        one = r"(?:(?:@words_reason)@end|(?:@words_sign)\s*[<>=≤≥]+\s*\d+(?:[./]\d+)*)"
        self.reason = _anywhere(rf"{one}(?:(?:\s*[/,&+]\s*|\s+(?:and|or)\s+|,\s*(?:and|or)\s+){one})*", terms)
        self.break_off = _anywhere("@begin(?:@words_stop|@words_altered|@words_limit|@words_ceiling)@end", terms)
        self.title = _anywhere(TITLE, terms)
        self.ceiling = _anywhere(CEILING, terms)
        self.overdose = _anywhere(OVERDOSE, terms)
        self.attempt = _anywhere(ATTEMPT, terms)

    def meaning(self, text: str, kind: str, span: str) -> SigRule | None:
        """What a word stands for in the text `span` of type `kind` ("" outside any); some are believed only alone there."""
        found = self.words.get(key(text), ())
        alone = key(self.needed.sub("", span)) == key(text)
        return next((rule for only in (kind, "") for rule in found if rule.only == only and (alone or not only)), None)

    def known(self, text: str) -> bool:
        """Whether the rules say what a word means wherever it stands."""
        return key(text) in self.words

    def moment_at(self, text: str, at: int) -> bool:
        """Whether a time of the day stands at an offset, or behind a blank there."""
        found = self.item.match(text, at + text.startswith(" ", at))
        return found is not None and any(rule.kind == "moment" for rule in self.words.get(key(found.group()), ()))

    def ends(self, text: str) -> bool:
        """Whether a word tells of a change, so that what follows is another prescription."""
        return any(rule.kind == "change" for rule in self.words.get(key(text), ()))

    def _number(self, text: str) -> float | None:
        text = text.strip()
        whole, half, _ = text.partition("and a half") if "and a half" in text else text.partition("and one-half")
        if half:
            number = self.number(whole)
            return None if number is None else number + 0.5
        if found := DECIMAL.fullmatch(text):
            digits = "".join(f"{self.numbers.get(word, 0):g}" for word in found[2].split())
            return float(f"{self.number(found[1] or '') or 0:g}.{digits}")
        named = self.numbers.get(key(text), self.numerals.get(key(text)))
        if named is not None:
            return named
        for group, many in GROUPS:
            if found := group.fullmatch(text):
                groups, rest = self.number(found[1]), self.number(found[2] or "")
                return None if groups is None else groups * many + (rest or 0)
        if found := TENS.fullmatch(text):  # "forty-two"
            tens, ones = self.numbers.get(found[1]), self.numbers.get(found[2])
            return None if tens is None or ones is None else tens + ones
        return _in_digits(text)


def load_words(folder: Path) -> SigWords:
    """The words of the rules folder's `sig.tsv`. Raises `RuleError`."""
    return SigWords(load_table(folder / "sig.tsv", SigRule))


def _in_digits(text: str) -> float | None:
    total = 0.0
    for part in DIGITS.findall(text):
        if part in GLYPHS:
            total += GLYPHS[part]
        elif "/" in part:
            above, below = map(float, part.split("/"))
            total += above / below if below else 0.0
        else:
            total += float(part.replace(",", ""))
    return total or None


def _anywhere(shape: str, terms: Mapping[str, str]) -> re.Pattern[str]:
    return re.compile(filled(shape, terms), re.IGNORECASE)


def _expression(rules: Iterable[SigRule], *kinds: str) -> str:
    """The alternatives of a regular expression for the terms of some kinds, the longest first; it matches lower case.

    Terms are grouped by their first letter, so that few are tried at each place.
    """
    terms = {term.lower() for rule in rules if rule.kind in kinds for term in rule.terms.split("|")}
    ordered = sorted(terms, key=lambda term: (term[0], -len(term), term))
    groups = ((first, [_loose(term[1:]) for term in group]) for first, group in groupby(ordered, itemgetter(0)))
    return "|".join(f"{re.escape(first)}(?:{'|'.join(rest)})" for first, rest in groups) or "(?!)"


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


def _loose(term: str) -> str:
    """A dot may be missing or followed by a blank, a blank may be a hyphen, and a comma may be missing."""
    inner = re.escape(term.rstrip(".")).replace(r"\.", r"\.?\s?").replace(r"\ ", r"[\s-]+").replace(",", ",?")
    return inner + (r"\.?" if term.endswith(".") else "")
