"""What results, durations and dates say: `findings(doc).values`, for `record.py` to put beside their offsets.

What the texts mean is in `medtext/values.py` and `medtext/times.py`; here is where in the note they come from: the unit of a
result is the one of the same test behind it on its line, and so is a reference range.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

from spacy.language import Language
from spacy.tokens import Doc

from medtext.findings import Findings, findings, text_of
from medtext.link_pairs import RESULT, UNIT
from medtext.rulebook import load_table, rules_dir
from medtext.schema import Mention, Value
from medtext.times import TimeReader, TimeWord, style_of
from medtext.values import Unit, ValueReader, ValueWord, with_reference

TIMES = ("TIME_EXPRESSION", "DURATION", "DATE")
NEAR = 24  # characters beside a result or a time that can bear on it
TAIL = 80  # characters behind a result in which a mark and a reference range may stand


class ValueFinder:
    """The spaCy component: fills `findings(doc).values`."""

    def __init__(self, results: ValueReader, times: TimeReader) -> None:
        self.results = results
        self.times = times

    def __call__(self, doc: Doc) -> Doc:
        found = findings(doc)
        text = text_of(doc)
        found.values = dict(chain(self._results(text, found), self._times(text, found.mentions)))
        return doc

    def _results(self, text: str, found: Findings) -> Iterator[tuple[int, Value]]:
        """The results that hang on a test, with what they say; a mark or a range taken for a result says nothing."""
        places = {(found.mentions[place].begin, link.parent) for place, link in found.links.items()}
        ends: dict[int, int] = {}  # where the last result of a test ends
        taken = 0  # up to where the text says something of the last result
        for place, mention in enumerate(found.mentions):
            if mention.type != RESULT or place not in found.links or mention.begin < taken:
                continue
            parent = found.links[place].parent
            test = found.mentions[parent]
            if self.results.goal.search(beside(text, test)[0]):
                continue
            if self.results.in_range_of_day(text, test.end, mention.begin):
                continue
            normal = self.results.reference_before(text, test.end, said(text, test))
            if normal and (normal.end, parent) not in places:
                normal = None
            if normal and mention.begin < normal.end:
                continue
            last, ends[parent] = ends.get(parent, -TAIL), mention.end
            if mention.begin - last < TAIL and self._is_normal(text, last, mention):
                continue
            value, taken = self._result(text, found, place)
            if value and normal and text.find("\n", normal.end, mention.begin) < 0:
                value = with_reference(value, normal)
            if value:
                yield place, value

    def _is_normal(self, text: str, last: int, mention: Mention) -> bool:
        """Whether it is the normal result that a printout has behind the patient's, which ends at `last`."""
        return self.results.is_normal_word(
            text[last : mention.begin], said(text, mention), rest_of_line(text, mention.end)
        )

    def _result(self, text: str, found: Findings, place: int) -> tuple[Value | None, int]:
        """What a result says, and up to where the text says it."""
        mention, name = found.mentions[place], said(text, found.mentions[found.links[place].parent])
        result = self.results.whole(said(text, mention), rest_of_line(text, mention.end), name)
        end = mention.begin + len(result)
        before, after = beside(text, replace(mention, end=end))
        tail = rest_of_line(text, end)
        unit, plain = self.unit_of(text, found, place), self.results.unit(tail, name)
        if plain and not unit.startswith(plain):
            unit = plain
        value = self.results.read(result, unit, name, before, after)
        if value is None:
            return None, end
        value, reach = self.results.marked(value, name, before, tail)
        return value, end + reach

    def unit_of(self, text: str, found: Findings, place: int) -> str:
        """The unit of the result at `place` as it is tagged, or "" where none of the same test stands plainly by it.

        That is the first behind it on its line with no result between, save a laboratory's mark ("128 L (135-145) mmol/L"); else
        the one just before it that follows no other result ("Sodium (mmol/L) 138").
        """
        mentions, parent = found.mentions, found.links[place].parent

        def is_unit(other: int) -> bool:
            link = found.links.get(other)
            return mentions[other].type == UNIT and link is not None and link.parent == parent

        begin, end = mentions[place].begin, mentions[place].end
        end += len(rest_of_line(text, end))
        name = said(text, mentions[parent])
        for other in range(place + 1, len(mentions)):
            if mentions[other].begin >= end:
                break
            if mentions[other].type not in (RESULT, UNIT) or self.results.is_mark(said(text, mentions[other]), name):
                continue
            if mentions[other].type == RESULT:
                break
            if is_unit(other):
                return written_unit(text, mentions[other])
        before = place - 1
        if before < 0 or not is_unit(before) or "\n" in text[mentions[before].end : begin]:
            return ""
        follows = before > 0 and mentions[before - 1].type == RESULT
        if follows and "\n" not in text[mentions[before - 1].end : begin]:
            return ""
        return written_unit(text, mentions[before])

    def _times(self, text: str, mentions: list[Mention]) -> Iterator[tuple[int, Value]]:
        times = [(place, mention) for place, mention in enumerate(mentions) if mention.type in TIMES]
        style = style_of(said(text, one) for _, one in times if one.type == "DATE")
        for place, mention in times:
            if mention.type == "DATE":
                duration = ""
            else:
                duration = self.times.duration(said(text, mention), *beside(text, mention), mention.type == "DURATION")
            if duration:
                yield place, Value(duration=duration)
            elif mention.type != "DURATION" and (date := self.times.date(said(text, mention), style)):
                yield place, Value(date=date)


def written_unit(text: str, unit: Mention) -> str:
    """A unit, with the stroke before it that is part of it ("5-10/hpf")."""
    stroke = "/" if text[unit.begin - 1 : unit.begin] == "/" else ""
    return stroke + said(text, unit)


def said(text: str, mention: Mention) -> str:
    return text[mention.begin : mention.end]


def beside(text: str, mention: Mention) -> tuple[str, str]:
    """What stands before and behind a mention, as far as it can bear on it."""
    return text[max(0, mention.begin - NEAR) : mention.begin], text[mention.end : mention.end + NEAR]


def rest_of_line(text: str, begin: int) -> str:
    """The text from `begin` to the end of its line; of a long one whole words of the beginning, and "…"."""
    end = text.find("\n", begin, begin + TAIL)
    if end < 0 and begin + TAIL < len(text):
        return text[begin : begin + TAIL].rpartition(" ")[0] + " …"
    return text[begin : end if end >= 0 else len(text)]


@Language.factory("medtext_values", default_config={"rules": ""})
def create_values(nlp: Language, name: str, rules: str) -> ValueFinder:  # noqa: ARG001
    folder = rules_dir(rules)
    results = ValueReader(load_table(folder / "units.tsv", Unit), load_table(folder / "values.tsv", ValueWord))
    return ValueFinder(results, TimeReader(load_table(folder / "times.tsv", TimeWord)))
