"""A drug and what it is mixed with: whose dose, route, frequency and rate it is.

"Cefazolin 2 g in NS 100 mL IV q8h" is cefazolin every eight hours, though the saline stands nearer. The forms are in
`rules/mixtures.toml`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from medtext.findings import Link
from medtext.link_pairs import FAR
from medtext.rulebook import expression
from medtext.schema import ATTRIBUTES, CATEGORIES, Mention

DRUGS = CATEGORIES["MEDICATION"]
AMOUNTS = ("STRENGTH", "DOSAGE")
FARTHEST = 120  # characters between the two names
NEAR = 30  # characters behind both in which an amount of the first may be the second's


@dataclass(frozen=True, slots=True)
class Mixture:
    """Two names of one preparation; see the head of `rules/mixtures.toml`."""

    id: str
    name: str
    between: str
    other: str
    keeps: str
    behind: str = ""

    def __post_init__(self) -> None:
        if list(self.compiled()["between"].groupindex) != ["joint"]:
            raise ValueError(f"'between' of {self.id!r} needs one named group, 'joint'")

    def compiled(self) -> dict[str, re.Pattern[str]]:
        """The expressions by their fields."""
        fields = ("name", "between", "other", "keeps", "behind")
        return {field: expression(self.id, getattr(self, field), re.IGNORECASE | re.VERBOSE) for field in fields}


class Mixtures:
    """Says which links of attributes are another's, since their owner is only mixed with it."""

    def __init__(self, mixtures: Iterable[Mixture]) -> None:
        self._mixtures = [mixture.compiled() for mixture in mixtures]

    def __call__(self, text: str, mentions: Sequence[Mention], links: Mapping[int, Link]) -> Iterator[tuple[int, Link]]:
        """The links that change, by the places of their attributes."""
        drugs = (place for place, mention in enumerate(mentions) if mention.type in DRUGS)
        for name, other in pairwise(drugs):
            if mentions[other].begin - mentions[name].end <= FARTHEST:
                for mixture in self._mixtures:
                    joint = _joint(mixture, text, mentions[name], mentions[other])
                    if joint is not None:
                        yield from _moved(mixture["keeps"], joint, text, mentions, links, (name, other))
                        break


def _joint(mixture: Mapping[str, re.Pattern[str]], text: str, name: Mention, other: Mention) -> int | None:
    """Where the word that joins the two stands; None where they are not mixed so."""
    if not mixture["other"].fullmatch(text, other.begin, other.end):
        return None
    if not mixture["name"].fullmatch(text, name.begin, name.end) or not mixture["behind"].match(text, other.end):
        return None
    between = mixture["between"].fullmatch(text, name.end, other.begin)
    return between.start("joint") if between else None


def _moved(
    keeps: re.Pattern[str],
    joint: int,
    text: str,
    mentions: Sequence[Mention],
    links: Mapping[int, Link],
    names: tuple[int, int],
) -> Iterator[tuple[int, Link]]:
    """The attributes of one of the two names that are the other's."""
    name, other = names
    for place in range(name, len(mentions)):
        attribute, link = mentions[place], links.get(place)
        if attribute.begin > mentions[other].end + FAR:
            break
        if link is None or link.parent not in names or ATTRIBUTES.get(attribute.type) != "MEDICATION":
            continue
        if link.parent == name and attribute.begin > mentions[other].end + NEAR:
            continue
        amount = attribute.type in AMOUNTS and attribute.begin >= joint
        owner = other if amount and keeps.fullmatch(text, attribute.begin, attribute.end) else name
        if owner != link.parent:
            yield place, replace(link, parent=owner, source="mixtures")
