"""Sections: medspaCy's section rules and matcher over the headings of `rules/sections.tsv`.

medspaCy's sectionizer takes a heading wherever its words occur, or only where a line begins. Notes have headings at the
start of a line, with a colon, a dash or nothing else on that line, and in dictated text in the middle of one, after a full
stop and before a colon; `is_heading` keeps those and lets "past medical history" in a sentence be. The sectionizer would
also mark every token with its section, which took longer than to find them.

A section reaches to the next heading, but for three things: a heading within a line rules its paragraph only, a field of the
header its sentence or paragraph, and what would be said of the wrong person or be taken for an allergy ends at headings that
are not known as well.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from spacy.language import Language
from spacy.tokens import Doc

from medtext.components.context import ContextCue
from medtext.components.medspacy_parts import MedspacyMatcher, SectionRule
from medtext.findings import SectionSpan, findings, text_of
from medtext.rulebook import any_of, load_table, rules_dir

_MARKUP = r"(?:\*\*|__|</?[A-Za-z][^<>\n]{0,60}>)"
LINE_START = re.compile(rf"\s*+(?:(?:{_MARKUP}|[-*•#>.)(\[\]|=]|\d++)[^\S\n]?){{0,4}}")
"""What may stand before a heading in its line: bullets, a number, Markdown's and HTML's signs of one."""
MARK = re.compile(rf"{_MARKUP}{{0,2}}(?: ?(?P<mark>[:–—=-])|[^\S\n]*+(?:\n|$))")
"""What stands behind one: a colon, a dash or the end of its line."""
NONE = "NONE"
"""The category of a heading that is not known, and of text in no section."""
PERSONAL = frozenset({"FAMILY_HISTORY", "SOCIAL_HISTORY", "ALLERGIES", "HEADER"})
"""Sections that end at any heading: what follows them is said of somebody or something else."""
TINGED = PERSONAL | {"PAST_MEDICAL_HISTORY", "PAST_SURGICAL_HISTORY", "DISCONTINUED_MEDICATIONS"}
"""Sections that say something of all that is in them: no title that names another one as well opens one."""
LISTS = PERSONAL | {"MEDICATIONS", "DISCONTINUED_MEDICATIONS", "DIAGNOSES", "PROBLEM_LIST", "IMMUNIZATIONS"}
"""Sections that end where a letter's text begins."""
JUDGED = frozenset({"IMPRESSION", "DIAGNOSES"})  # what stands before the P of a SOAP note
FIRST = frozenset({"HEADER", "HISTORY_OF_PRESENT_ILLNESS"})  # what stands before a chief complaint

_WORD = r"[\w'/&,.()#+-]"
TITLE = re.compile(rf"^[ \t]{{0,20}}([^\W\d_]{_WORD}{{0,24}}(?: {_WORD}{{1,24}}){{0,5}}) ?:(?!\d)", re.MULTILINE)
DATED = re.compile(r"(?: \([^()]{1,30}\)| \d[\d/.:-]{0,9}){1,2}$")  # "Labs 1/22", "Meds (home)"
JOINED = re.compile(r" ?[/&] ?| and ")  # "Labs / Imaging"
SHORTER = ((re.compile(r"\bhistory\b"), "hx"), (re.compile(r"\bdiagnos[ei]s\b"), "dx"))
"""Words of titles that notes abbreviate."""
COMPOUND = re.compile(r"-[^\W\d_]")  # "Re-eval", "Patient-IDs": no field of the header
COPIED = re.compile(
    r":[ \t]{0,4}(?:[^\s@]{1,40}@"
    r"|(?:\d\. ?)?(?:Drs?|Prof|Professor)\b\.? (?:[A-Z]\.? ?){0,3}[A-Z][\w'’-]{1,30}[ \t]{0,4}(?:[,;(\n]|$))"
)
"""To whom a letter or message goes as well: what stands behind its "cc"."""
CONTENT = re.compile(r"[\s:=–—-]*")
PARAGRAPH_END = re.compile(r"(?<=\S)[^\S\n]*\n[^\S\n]*\n\s*+(?!\d{1,2}[.)]|[-*•#])")
HEADER_END = re.compile(rf"(?<=\.)[^\S\n]*\n|{PARAGRAPH_END.pattern}")
BLANK_LINE = re.compile(r"\n[^\S\n]*\n")
OF_A_RELATIVE = 40  # characters behind a title in which a relative can stand: "Diabetes: maternal aunt"
STUDY = re.compile(
    r":[ \t]{0,4}(?:[A-Za-z]+ ){0,3}?(?:CTA?|MR[AI]|MRCP|PET|US|XR|CXR|KUB|DEXA|x-?rays?|mammogra\w+|ultrasound|sonogram"
    r"|radiographs?|duplex|scan)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Heading:
    """A title and the category of the section it opens; see the head of `rules/sections.tsv`."""

    id: str
    category: str
    title: str


@dataclass(frozen=True, slots=True, order=True)
class Opening:
    """A heading in a note: the offsets of its title, its category, and whether it begins a line."""

    begin: int
    end: int
    category: str
    begins_line: bool = True


def is_heading(text: str, begin: int, end: int) -> bool:
    """Whether the title in `text[begin:end]` stands where a heading stands."""
    marked = MARK.match(text, end)
    if not marked:
        return False
    if _begins_line(text, begin):
        return end - begin > 1 or marked["mark"] == ":"
    return marked["mark"] == ":" and _after_sentence(text, begin) and text[begin].isupper()


def _begins_line(text: str, begin: int) -> bool:
    """Whether only bullets, a number or markup stand between the title and the start of its line."""
    return bool(LINE_START.fullmatch(text, text.rfind("\n", 0, begin) + 1, begin))


def _after_sentence(text: str, begin: int) -> bool:
    while begin > 0 and text[begin - 1].isspace():
        begin -= 1
    return begin == 0 or text[begin - 1] in ".:;?!)"


class SectionFinder:
    """The spaCy component: fills `findings(doc).sections`."""

    def __init__(self, nlp: Language, headings: Iterable[Heading], relatives: Iterable[str]) -> None:
        self._matcher = MedspacyMatcher(nlp)
        self._titles: dict[str, str] = {}
        self._last_words: dict[str, str] = {}
        first_words = []
        for heading in headings:
            titles = {heading.title, *(word.sub(short, heading.title) for word, short in SHORTER)}
            if heading.title.startswith("* "):
                self._last_words.update((title[2:], heading.category) for title in titles)
            elif heading.title.endswith(" *"):
                first_words.append(heading.title[:-2])
            else:
                self._titles.update(dict.fromkeys(titles, heading.category))
        self._matcher.add([SectionRule(title, category) for title, category in self._titles.items()])
        self._prose = re.compile(rf"\n[^\S\n]*\n[^\S\n]{{0,8}}(?=(?i:{any_of(first_words, whole=True)})[ ,])")
        self._relative = re.compile(rf"\b(?:{any_of(relatives, whole=True)})\b", re.IGNORECASE)

    def __call__(self, doc: Doc) -> Doc:
        if len(doc):
            text, carried = text_of(doc), findings(doc).carried
            known, unknown = self._openings(doc, text)
            sections = list(_spans(text, known, carried.section if carried else None))
            self._cut(text, sections, unknown)
            findings(doc).sections = sections
            if carried:
                is_open = sections and sections[-1].end == len(text)
                carried.section = sections[-1].category if is_open else None
        return doc

    def _openings(self, doc: Doc, text: str) -> tuple[list[Opening], list[Opening]]:
        """The headings whose section is known, and the other ones with the paragraphs of letters that are like them."""
        found = sorted(
            Opening(begin, end, self._matcher.rule_map[doc.vocab.strings[rule]].category, _begins_line(text, begin))
            for rule, first, after in self._matcher(doc)
            if is_heading(text, begin := doc[first].idx, end := doc[after - 1].idx + len(doc[after - 1]))
        )
        titles = [match.span(1) for match in TITLE.finditer(text)]
        assessed = next((opening.begin for opening in found if opening.category in JUDGED), len(text))
        told = next((opening.begin for opening in found if opening.category not in FIRST), len(text))
        known = [
            _of_a_copy(text, _of_a_study(text, opening), told)
            for opening in found
            if _is_believed(text, opening, assessed, titles)
        ]
        begins = [opening.begin for opening in known]
        for begin, end in titles:
            before = bisect_left(begins, end) - 1
            if before < 0 or known[before].end <= begin:
                known.append(Opening(begin, end, self._category(text[begin:end])))
        known += [Opening(match.end(), match.end(), NONE) for match in self._prose.finditer(text)]
        known.sort()
        return [one for one in known if one.category != NONE], [one for one in known if one.category == NONE]

    def _category(self, title: str) -> str:
        """What a title that is not in the rules as it is opens: "Labs 1/22", "Labs / Imaging", "PERTINENT MEDICAL HISTORY"."""
        bare = DATED.sub("", title)
        words = bare.lower().split() if _is_capital(bare) else []
        endings = (" ".join(words[first:]) for first in range(1, len(words)))
        if ending := next((ending for ending in endings if ending in self._last_words), None):
            return self._last_words[ending]
        parts = [self._titles.get(part, NONE) if len(part) > 1 else NONE for part in JOINED.split(bare.lower())]
        return NONE if NONE in parts or (len({*parts}) > 1 and not TINGED.isdisjoint(parts)) else parts[0]

    def _cut(self, text: str, sections: Iterable[SectionSpan], unknown: Sequence[Opening]) -> None:
        """Ends sections before the first of the unknown headings in them that closes them."""
        place = 0
        for section in sections:
            while place < len(unknown) and unknown[place].begin < section.end:
                if unknown[place].begin >= section.begin and self._closes(text, section, unknown[place]):
                    section.end = unknown[place].begin
                place += 1

    def _closes(self, text: str, section: SectionSpan, heading: Opening) -> bool:
        """Whether a heading that is not known ends a section: one behind a blank line, or behind a section of one line."""
        if heading.begin == heading.end:
            return section.category in LISTS
        if section.category not in PERSONAL:
            return False
        said = text[heading.begin : heading.end + OF_A_RELATIVE].partition("\n")[0]
        if section.category == "FAMILY_HISTORY" and self._relative.search(said):
            return False
        content = CONTENT.match(text, section.begin).end()  # type: ignore[union-attr]
        if BLANK_LINE.search(text, content, heading.begin):
            return _is_capital(text[heading.begin : heading.end])
        return (
            section.category != "SOCIAL_HISTORY"
            and "\n" not in text[section.begin : content]
            and content < heading.begin
        )


def _spans(text: str, openings: Sequence[Opening], carried: str | None) -> Iterator[SectionSpan]:
    """The sections of headings that are known, one after the other; `carried` is open where the text begins."""
    around = carried or NONE  # the section of the line
    if carried and (not openings or openings[0].begin > 0):
        yield SectionSpan(0, openings[0].begin if openings else len(text), carried)
    for opening, following in pairwise([*openings, Opening(len(text), len(text), NONE)]):
        stop = end = following.begin
        content = CONTENT.match(text, opening.end).end()  # type: ignore[union-attr]
        ends = HEADER_END if opening.category == "HEADER" else None if opening.begins_line else PARAGRAPH_END
        if ends and (last := ends.search(text, content, stop)):
            end = last.end()
        yield SectionSpan(opening.end, end, opening.category, (opening.begin, opening.end))
        if opening.begins_line:
            around = opening.category
        if end < stop and around not in {NONE, *PERSONAL}:
            yield SectionSpan(end, stop, around)


def _is_capital(title: str) -> bool:
    """Whether the words of a title begin with capitals, small ones aside."""
    return all(not word[0].islower() or (len(word) < 4 and place) for place, word in enumerate(title.split()))


def _of_a_study(text: str, opening: Opening) -> Opening:
    """The heading; the "EXAM" of a radiologist ("EXAM: CT head") is a procedure's."""
    if opening.category == "PHYSICAL_EXAM" and STUDY.match(text, opening.end):
        return replace(opening, category="PROCEDURE")
    return opening


def _of_a_copy(text: str, opening: Opening, told: int) -> Opening:
    """The heading; a "cc" before names, or a small one behind `told`, where the note is well begun, heads copies."""
    title = text[opening.begin : opening.end]
    if title.lower() == "cc" and (COPIED.match(text, opening.end) or (told < opening.begin and not title.isupper())):
        return replace(opening, category="HEADER")
    return opening


def _is_believed(text: str, opening: Opening, assessed: int, titles: Sequence[tuple[int, int]]) -> bool:
    """Whether a field of the header is no part of a word, and an A or a P that of a SOAP note.

    An A stands before no B there, a P behind an assessment or right behind an S or O.
    """
    if opening.category == "HEADER":
        return not COMPOUND.match(text, opening.end)
    letter = text[opening.begin : opening.end].upper()
    if letter == "A":
        after = bisect_right(titles, (opening.begin, len(text)))
        return after == len(titles) or text[slice(*titles[after])].upper() != "B"
    if letter != "P":
        return True
    before = bisect_left(titles, (opening.begin, 0)) - 1
    if before >= 0 and text[slice(*titles[before])].upper() in ("S", "O"):
        return True
    return assessed < opening.begin


@Language.factory("medtext_sections", default_config={"rules": ""})
def create_sections(nlp: Language, name: str, rules: str) -> SectionFinder:  # noqa: ARG001
    folder = rules_dir(rules)
    relatives = [cue.literal for cue in load_table(folder / "context.tsv", ContextCue) if cue.category == "FAMILY"]
    return SectionFinder(nlp, load_table(folder / "sections.tsv", Heading), relatives)
