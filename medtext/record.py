"""From what the components found in a Doc to the record that leaves medtext."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from spacy.tokens import Doc

from medtext.findings import Findings, Link, findings, text_of
from medtext.policy import PHI, Policy
from medtext.schema import ATTRIBUTES, CATEGORY_OF, CODED, Attribute, Concepts, Entity, Mention, Record, Trait

DIGITS = 4  # of a score
TIME_TO = {
    "DX_NAME": "TIME_TO_DX_NAME",
    "GENERIC_NAME": "TIME_TO_MEDICATION_NAME",
    "BRAND_NAME": "TIME_TO_MEDICATION_NAME",
    "TEST_NAME": "TIME_TO_TEST_NAME",
    "PROCEDURE_NAME": "TIME_TO_PROCEDURE_NAME",
    "TREATMENT_NAME": "TIME_TO_TREATMENT_NAME",
}
"""The type of a time by what it dates; for what Comprehend Medical has no name it stays TIME_EXPRESSION."""

Numbered = dict[int, list[tuple[int, Link]]]  # a mention -> the mentions that hang on it


def to_record(
    doc: Doc, document_id: str, model_version: str, min_score: float = 0.0, date_values: bool = False
) -> Record:
    """The record of a Doc that has been through the pipeline, without mentions that score less than `min_score`.

    Offsets are code points of `doc.text`. A parsed date is as good as the patient's text: it is there only with `date_values`.
    """
    return record_of(kept(doc, min_score, date_values), document_id, len(text_of(doc)), model_version)


def kept(doc: Doc, min_score: float, date_values: bool) -> Findings:
    """What of a Doc's findings goes into its record."""
    found = _likely(findings(doc), min_score)
    if date_values:
        return found
    return replace(found, values={place: value for place, value in found.values.items() if not value.date})


def record_of(found: Findings, document_id: str, characters: int, model_version: str) -> Record:
    """The record of findings: a mention's id is its place, from 1; a date that stands twice has one after all of them."""
    hanging = _hanging(found)
    entities = [*_entities(found, hanging), *_times(found)]
    entities.sort(key=lambda entity: (entity.begin, entity.end, entity.category, entity.id))
    return Record(
        document_id,
        characters,
        model_version,
        tuple(entities),
        tuple(_attribute(found, place) for place in _unmapped(found)),
    )


def select(record: Record, categories: Collection[str], concepts: Collection[str] = tuple(CODED)) -> Record:
    """The record without entities and unmapped attributes of other categories (where none is given, all stay), and without
    the codes of other terminologies."""
    if not record.error and set(concepts) != set(CODED):
        record = replace(record, entities=tuple(_with_codes(entity, concepts) for entity in record.entities))
    if record.error or not categories:
        return record
    return replace(
        record,
        entities=tuple(entity for entity in record.entities if entity.category in categories),
        unmapped_attributes=tuple(part for part in record.unmapped_attributes if part.category in categories),
    )


def _with_codes(entity: Entity, terminologies: Collection[str]) -> Entity:
    """The entity with codes of these terminologies only."""
    if not entity.concepts:
        return entity
    kept = Concepts(**{name: getattr(entity.concepts, name) for name in terminologies})
    return replace(entity, concepts=kept if kept != Concepts() else None)


def counted(record: Record, policy: Policy | None) -> Record:
    """The record without the protected health information that does not count."""
    if record.error or policy is None:
        return record
    kept = (one for one in record.entities if one.category != PHI or policy.includes(one.type, one.subtype, one.score))
    return replace(record, entities=tuple(kept))


def _likely(found: Findings, min_score: float) -> Findings:
    """The findings without what scores less; what hung on that hangs on nothing."""
    if not min_score:
        return found
    kept = [place for place, mention in enumerate(found.mentions) if mention.score >= min_score]
    place_of = {old: new for new, old in enumerate(kept)}
    links = {
        place_of[place]: replace(link, parent=place_of[link.parent])
        for place, link in found.links.items()
        if place in place_of and link.parent in place_of
    }
    traits = {place_of[place]: traits for place, traits in found.traits.items() if place in place_of}
    values = {place_of[place]: value for place, value in found.values.items() if place in place_of}
    sigs = {place_of[place]: sig for place, sig in found.sigs.items() if place in place_of}
    concepts = {place_of[place]: concepts for place, concepts in found.concepts.items() if place in place_of}
    mentions = [found.mentions[place] for place in kept]
    return replace(found, mentions=mentions, links=links, traits=traits, values=values, sigs=sigs, concepts=concepts)


def _is_attribute(mention: Mention, link: Link | None) -> bool:
    return mention.type in ATTRIBUTES or (mention.type == "SYSTEM_ORGAN_SITE" and link is not None)


def _owner(found: Findings, link: Link) -> int:
    """The entity an attribute ends up under: where its parent is a site that hangs on another, that other."""
    owner = link.parent
    above = found.links.get(owner)
    return above.parent if above and _is_attribute(found.mentions[owner], above) else owner


def _hanging(found: Findings) -> Numbered:
    hanging: Numbered = {}
    for place, link in sorted(found.links.items()):
        if _is_attribute(found.mentions[place], link):
            hanging.setdefault(_owner(found, link), []).append((place, link))
    return hanging


def _entities(found: Findings, hanging: Numbered) -> Iterator[Entity]:
    for place, mention in enumerate(found.mentions):
        if mention.type == "TIME_EXPRESSION" or _is_attribute(mention, found.links.get(place)):
            continue
        category = CATEGORY_OF[mention.type]
        own = hanging.get(place, ())
        yield Entity(
            place + 1,
            mention.begin,
            mention.end,
            category,
            mention.type,
            round(mention.score, DIGITS),
            _traits(found, place),
            tuple(_attribute(found, below, link, category) for below, link in own),
            found.section_of(mention.begin),
            mention.source,
            mention.subtype,
            found.values.get(place),
            found.sigs.get(place),
            found.concepts.get(place),
        )


def _times(found: Findings) -> Iterator[Entity]:
    """The times and dates that date an entity, each with that entity as its attribute."""
    extra = len(found.mentions)
    for place, link in sorted(found.links.items()):
        mention, dated = found.mentions[place], found.mentions[link.parent]
        if mention.type not in ("TIME_EXPRESSION", "DATE"):
            continue
        number = place + 1
        if mention.type == "DATE":  # stands as PHI as well, under its own number
            extra += 1
            number = extra
        overlap = Attribute(
            link.parent + 1,
            dated.begin,
            dated.end,
            dated.type,
            CATEGORY_OF[dated.type],
            round(dated.score, DIGITS),
            "OVERLAP",
            round(link.score, DIGITS),
            _traits(found, link.parent),
            dated.source,
        )
        yield Entity(
            number,
            mention.begin,
            mention.end,
            "TIME_EXPRESSION",
            TIME_TO.get(dated.type, "TIME_EXPRESSION"),
            round(mention.score, DIGITS),
            attributes=(overlap,),
            section=found.section_of(mention.begin),
            source=mention.source,
            value=found.values.get(place),
        )


def _unmapped(found: Findings) -> Iterator[int]:
    for place, mention in enumerate(found.mentions):
        if place not in found.links and (mention.type in ATTRIBUTES or mention.type == "TIME_EXPRESSION"):
            yield place


def _attribute(found: Findings, place: int, link: Link | None = None, owner: str = "") -> Attribute:
    mention = found.mentions[place]
    category = CATEGORY_OF[mention.type]
    if owner == "BEHAVIORAL_ENVIRONMENTAL_SOCIAL" and mention.type in ("FREQUENCY", "DURATION"):
        category = owner
    return Attribute(
        place + 1,
        mention.begin,
        mention.end,
        mention.type,
        category,
        round(mention.score, DIGITS),
        mention.type if link else None,
        round(link.score, DIGITS) if link else None,
        source=mention.source,
        value=found.values.get(place),
    )


def _traits(found: Findings, place: int) -> tuple[Trait, ...]:
    return tuple(Trait(trait.name, round(trait.score, DIGITS)) for trait in found.traits.get(place, ()))
