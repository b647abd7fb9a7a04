"""Which of HIPAA's eighteen an identifier is: the patient's name or a clinician's, a record number or a licence.

What the words themselves settle (a year, an age over 89, an internet address) is settled here; the rest is told by the
words inside an identifier and beside it, of `rules/phi_subtypes.tsv`, and for names by the name itself elsewhere in the
note. Of names, addresses and numbers, a regression has the last word (`subtype_judge`), but for a degree
right behind a name.
"""

import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import TYPE_CHECKING

from spacy.tokens import Doc

from medtext.components.clues import words_of
from medtext.findings import findings, lower_words, offsets, text_of
from medtext.schema import PHI_SUBTYPES, Mention

if TYPE_CHECKING:
    from medtext.components.subtype_judge import SubtypeJudge

WHERE = ("whole", "numbered", "inside", "beside", "before", "after", "degree")
BEFORE, AFTER = 6, 3  # words that are looked at
BEFORE_YEAR = 20  # characters
YEAR = re.compile(r"(?:19|20)\d\ds?|'\d\ds?")
BORN = re.compile(
    r"(?:\b(?:born|birth|dob|yob|d\.o\.b)|(?<![\w/])(?<!hep[ ])(?<!itis[ ])(?<!type[ ])(?<!group[ ])(?-i:b))\.?"
    r"(?:[^\S\n](?:in|on|about|around|circa|ca|year)\b\.?)?[^\S\n]?[:=]?[^\S\n]?\Z",
    re.IGNORECASE,
)
"""What stands before a year of birth: of one who is over 89, it tells as much as the age does."""
OLD = 90  # years from which an age tells who somebody is: 45 CFR 164.514(b)(2)(i)(C)
OLD_WORDS = re.compile(
    r"(?:early |mid-?|late )?(?:nineties|ninety.*|9\ds|90'?s|(?:one )?hundred.*|centenarian)", re.IGNORECASE
)
IP = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
SSN = re.compile(r"\d{3}[- ]\d\d[- ]\d{4}")
ZIP = re.compile(r"\d{5}(?:-\d{4})?|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|[A-Z]\d[A-Z] ?\d[A-Z]\d", re.IGNORECASE)
STREET = re.compile(
    r"(?:#?\w{0,2}\d+\w?(?:[-/]\d+)?,? \D|lot |stand |h\.no |(?:p\.? ?o\.?|rr \d+|rural route \d+) ?,?box|flat \d|apt|unit \d)",
    re.IGNORECASE,
)
NAMED = re.compile(r"[^\W\d_][\w'’-]+")
BEHIND = re.compile(r",?[^\S\n]\(?([A-Za-z](?:[\w.-]{0,8}[\w-])?)")  # past two blanks is another column
INITIALS = 3  # letters
USUAL = {"NAME": "PATIENT", "ADDRESS": "ORGANIZATION", "DATE": "DATE", "PHONE_OR_FAX": "PHONE", "ID": "OTHER"}
"""What an identifier is taken for where nothing says more."""


@dataclass(frozen=True, slots=True)
class SubtypeRule:
    """Words that tell a subtype; see the head of `rules/phi_subtypes.tsv`."""

    id: str
    type: str
    subtype: str
    where: str
    words: str

    def __post_init__(self) -> None:
        if self.subtype not in PHI_SUBTYPES.get(self.type, ()):
            raise ValueError(f"{self.type!r} has no subtype {self.subtype!r}")
        if self.where not in WHERE:
            raise ValueError(f"{self.where!r} is no place; there are {', '.join(WHERE)}")


class Subtypes:
    """Gives identifiers their subtypes."""

    def __init__(self, rules: Iterable[SubtypeRule], judge: "SubtypeJudge | None" = None) -> None:
        """With a `judge`, what the rules tell of names, addresses and numbers is a clue of its; without, they decide."""
        self._judge = judge
        self._words: dict[tuple[str, str], dict[str, str]] = {}
        for rule in rules:
            known = self._words.setdefault((rule.type, rule.where), {})
            for word in rule.words.split():
                known.setdefault(word.replace("_", " "), rule.subtype)

    def __call__(self, doc: Doc, mentions: Sequence[Mention]) -> list[Mention]:
        """The mentions with subtypes: what settles it by itself, the rule that found them, the words around, the usual."""
        text, told = text_of(doc), list(self.told(doc, mentions))
        people, places = _people(text, told), towns(doc)
        guessed = [
            mention if mention.subtype else replace(mention, subtype=_guessed(text, mention, people, places))
            for mention in told
        ]
        if self._judge:
            guessed = self._judge(doc, guessed, [mention.subtype for mention in told])
        return list(self._by_degree(text, guessed))

    def told(self, doc: Doc, mentions: Sequence[Mention]) -> Iterator[Mention]:
        """The mentions with the subtypes that their words or those around tell; empty where none does."""
        text, tokens = text_of(doc), lower_words(doc)
        begins, ends = words_of(doc, [(mention.begin, mention.end) for mention in mentions])
        for mention, begin, end in zip(mentions, begins, ends, strict=True):
            subtype = (
                settled(
                    mention.type,
                    text[mention.begin : mention.end],
                    text[max(0, mention.begin - BEFORE_YEAR) : mention.begin],
                )
                or self._inside(mention.type, text[mention.begin : mention.end].lower(), tokens[begin:end])
                or self._around(mention.type, tokens, begin, end)
                or mention.subtype
            )
            yield replace(mention, subtype=subtype) if subtype != mention.subtype else mention

    def _inside(self, kind: str, text: str, inside: Sequence[str]) -> str:
        for where in WHERE[:3]:
            known = self._words.get((kind, where))
            if not known or (where == "numbered" and not STREET.match(text)):
                continue
            for word in [" ".join(text.split())] if where == "whole" else inside:
                if word in known:
                    return known[word]
        return ""

    def _around(self, kind: str, tokens: Sequence[str], begin: int, end: int) -> str:
        beside, before, after = (self._words.get((kind, where), {}) for where in ("beside", "before", "after"))
        line = list(line_words(reversed(tokens[max(0, begin - 2 * BEFORE) : begin]), BEFORE))
        for word, earlier in zip_longest(line, line[1:], fillvalue=""):
            if told := before.get(f"{earlier} {word}") or before.get(word):
                return told
        if told := beside.get(next((word for word in line if word[0].isalnum()), "")):
            return told
        for word in line_words(tokens[end : end + 2 * AFTER], AFTER):
            if word in after:
                return after[word]
        return ""

    def _by_degree(self, text: str, mentions: Iterable[Mention]) -> Iterator[Mention]:
        """The mentions; one with a degree right behind it has the subtype that this tells, whatever else is said of it."""
        for mention in mentions:
            behind = BEHIND.match(text, mention.end)
            subtype = self._words.get((mention.type, "degree"), {}).get(behind[1].lower()) if behind else None
            yield replace(mention, subtype=subtype) if subtype else mention


def settled(kind: str, text: str, before: str = "") -> str:
    """The subtype that the words of an identifier settle, with those `before` it; empty where they do not."""
    if kind == "AGE":
        number = re.match(r"\d+(?!s)", text)
        old = int(number[0]) >= OLD if number else bool(OLD_WORDS.fullmatch(text))
        return "AGE_OVER_89" if old else "AGE"
    if kind == "DATE":
        return "" if not YEAR.fullmatch(text) else "BIRTH_DATE" if BORN.search(before) else "YEAR"
    if kind == "ID":
        return "IP" if IP.fullmatch(text) else "SSN" if SSN.fullmatch(text) else ""
    if kind == "ADDRESS":
        return "ZIP" if ZIP.fullmatch(text) else ""
    return kind if PHI_SUBTYPES[kind] == (kind,) else ""


def line_words(tokens: Iterable[str], most: int) -> Iterator[str]:
    """The words up to the end of the line, without blanks, `most` of them."""
    for word in tokens:
        if "\n" in word or not most:
            return
        if not word.isspace():
            most -= 1
            yield word


def _guessed(text: str, mention: Mention, people: Mapping[str, str], places: Container[int]) -> str:
    """The likeliest subtype of an identifier that no word tells of."""
    own = text[mention.begin : mention.end]
    if mention.type == "NAME":
        named = NAMED.findall(own.lower())
        if named and named[-1] in people:
            return people[named[-1]]
        return "CLINICIAN" if sum(map(str.isalpha, own)) <= INITIALS else USUAL["NAME"]
    if mention.type == "ADDRESS":
        if STREET.match(own):
            return "STREET"
        if mention.begin in places:
            return "CITY"
    return USUAL[mention.type]


def _people(text: str, mentions: Iterable[Mention]) -> dict[str, str]:
    """What the words of names that have a subtype are mostly."""
    seen: dict[str, Counter[str]] = {}
    for mention in mentions:
        if mention.type == "NAME" and mention.subtype:
            for word in NAMED.findall(text[mention.begin : mention.end].lower()):
                seen.setdefault(word, Counter())[mention.subtype] += 1
    return {word: max(sorted(counts), key=counts.__getitem__) for word, counts in seen.items()}


def towns(doc: Doc) -> set[int]:
    """Where towns and countries of the lexicon begin."""
    starts = offsets(doc)
    return {starts[first] for first, _, kind in findings(doc).lexicon if kind == "PLACE"}
