"""Precision, recall and F1 of records, or of medtext itself, against gold.

Gold is JSON Lines of `{"id", "text", "spans": [{"id", "start", "end", "type", "traits", "parent"}]}`; a record is brought
into the same shape and counted by `medtext.scores`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from medtext.config import Config
from medtext.errors import MedtextError, UsageError
from medtext.schema import CATEGORY_OF, CODED, TRAITS, TYPES, Concepts, Entity, Record
from medtext.scores import Marked, Place, Scores, add


def evaluate_files(gold: Path, predicted: Path | None, config: Config, *, given_spans: bool = False) -> Scores:
    """Scores records (or, without them, medtext itself) against a gold file.

    Args:
        gold: JSON Lines of gold notes, offsets in code points.
        predicted: JSON Lines of records, one for each gold note; one with an `Error` counts as having found nothing.
        config: the model and rules that medtext is to read the notes with; its categories are those that are scored.
        given_spans: let medtext find only the traits and links of the gold spans.

    Raises:
        UsageError: for a file that is not what it should be.
    """
    rows = list(read_gold(gold))
    if predicted is None:
        records = _records(rows, config, given_spans)
    elif given_spans:
        raise UsageError("--given-spans has medtext read the notes itself; leave the records out.")
    else:
        records = _read_records(predicted)
    by_id = {record.document_id: record for record in records}
    if missing := [row["id"] for row in rows if row["id"] not in by_id]:
        raise UsageError(f"There is no record of {len(missing)} gold notes, the first of them {missing[0]!r}.")
    scores = Scores()
    for row in rows:
        gold_note, found = marked_gold(row), marked_record(by_id[row["id"]])
        if config.categories:
            gold_note, found = only(gold_note, config.categories), only(found, config.categories)
        add(scores, gold_note, found, row["text"])
    return scores


def only(marked: Marked, categories: Collection[str]) -> Marked:
    """The spans of these categories."""
    kept = {place: traits for place, traits in marked.traits.items() if CATEGORY_OF[place[2]] in categories}
    links = {place: parent for place, parent in marked.links.items() if place in kept and parent in kept}
    return Marked(
        kept, links, marked.subtypes, {place: codes for place, codes in marked.codes.items() if place in kept}
    )


def read_gold(path: Path) -> Iterator[dict[str, Any]]:
    """The notes of a gold file. Raises `UsageError` with the line that is wrong."""
    seen: set[str] = set()
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            raise UsageError(f"Line {number} of {path} is not a gold note: it is not valid JSON.") from None
        if wrong := _wrong(row):
            raise UsageError(f"Line {number} of {path} is not a gold note: {wrong}.")
        row["id"] = str(row["id"])
        if row["id"] in seen:
            raise UsageError(f"Line {number} of {path} has an id that an earlier line has.")
        seen.add(row["id"])
        yield row
    if not seen:
        raise UsageError(f"{path} holds no gold notes.")


def _lines(path: Path) -> list[str]:
    """Split at line feeds only: a JSON string may hold other line ends (U+2028) as they are."""
    try:
        return path.read_text(encoding="utf-8-sig").split("\n")
    except FileNotFoundError:
        raise UsageError(f"There is no {path}.") from None
    except (OSError, UnicodeDecodeError):
        raise UsageError(f"{path} cannot be read as UTF-8 text.") from None


def _wrong(row: Any) -> str:
    """What makes a line no gold note, if anything; none of its own words, which may be the note's."""
    if not isinstance(row, dict):
        return "it is no JSON object"
    if missing := [name for name in ("id", "text", "spans") if name not in row]:
        return f"it has no {missing[0]}"
    text, spans = row["text"], row["spans"]
    if not isinstance(text, str) or not isinstance(spans, list) or not all(isinstance(span, dict) for span in spans):
        return "its text is no string, or its spans are no list of objects"
    if missing_ids := [place for place, span in enumerate(spans, 1) if not isinstance(span.get("id"), int | str)]:
        return f"its span {missing_ids[0]} has no id"
    numbers = [span["id"] for span in spans]
    if len(set(numbers)) < len(numbers):
        return "two of its spans have the same id"
    parents = {None, *numbers}
    wrong = (
        f"its span {place} {said}" for place, span in enumerate(spans, 1) if (said := _wrong_span(span, text, parents))
    )
    return next(wrong, "")


def _wrong_span(span: dict[str, Any], text: str, parents: Collection[int | str | None]) -> str:
    """What is wrong with one of the spans of a gold note, if anything."""
    begin, end, traits = span.get("start"), span.get("end"), span.get("traits") or ()
    if not isinstance(begin, int) or not isinstance(end, int):
        return "has no start and end in whole numbers"
    if not 0 <= begin < end <= len(text):
        return f"is from {begin} to {end}, in a text of {len(text)} characters"
    if span.get("type") not in TYPES:
        return "has a type that there is not"
    if not isinstance(traits, list | tuple) or not set(TRAITS).issuperset(map(str, traits)):
        return "has a trait that there is not"
    if not all(isinstance(span.get(name, ""), str | list) for name in CODED):
        return "has codes that are no list"
    if not all(isinstance(code, str) for name in CODED for code in _several(span.get(name, []))):
        return "has a code that is no string"
    parent = span.get("parent")
    known = isinstance(parent, int | str | None) and parent in parents
    return "" if known else "has a parent that is no span of the note"


def _records(rows: Sequence[Mapping[str, Any]], config: Config, given_spans: bool) -> list[Record]:
    from medtext.api import extract, load

    coded = any(span.get(name) for row in rows for span in row["spans"] for name in CODED)
    nlp = load(config if coded else replace(config, concepts=()))
    records = []
    for row in rows:
        spans = [(span["start"], span["end"], span["type"]) for span in row["spans"]] if given_spans else None
        record = extract(row["text"], nlp=nlp, spans=spans, config=config, document_id=row["id"])
        if record.error:
            raise MedtextError(f"The gold note {row['id']!r} failed: {record.error.message}")
        records.append(record)
    return records


def _read_records(path: Path) -> list[Record]:
    try:
        return [Record.from_json(json.loads(line)) for line in _lines(path) if line.strip()]
    except (ValueError, KeyError, TypeError):
        raise UsageError(f"{path} holds no records of medtext's as JSON Lines.") from None


def marked_gold(row: Mapping[str, Any]) -> Marked:
    """A gold note's spans, traits and links."""
    places = {span["id"]: (span["start"], span["end"], span["type"]) for span in row["spans"]}
    traits = {places[span["id"]]: frozenset(span.get("traits") or ()) for span in row["spans"]}
    links = {places[span["id"]]: places[span["parent"]] for span in row["spans"] if span.get("parent") is not None}
    subtypes = {places[span["id"]]: span["subtype"] for span in row["spans"] if span.get("subtype")}
    codes = {
        places[span["id"]]: {name: _several(span[name]) for name in CODED if span.get(name)} for span in row["spans"]
    }
    return Marked(traits, links, subtypes, codes)


def _several(codes: str | list[str]) -> list[str]:
    """One code, or all that are right."""
    return [codes] if isinstance(codes, str) else codes


def marked_record(record: Record) -> Marked:
    """A record's spans in the shape of gold: TIME_TO_* are times again, and dated dates are one span."""
    traits: dict[Place, frozenset[str]] = {}
    links: dict[Place, Place] = {}
    subtypes = {(one.begin, one.end, one.type): one.subtype for one in record.entities if one.subtype}
    codes = {(one.begin, one.end, one.type): _codes(one.concepts) for one in record.entities if one.concepts}
    dates = {(entity.begin, entity.end) for entity in record.entities if entity.type == "DATE"}
    for entity in record.entities:
        if entity.category == "TIME_EXPRESSION":
            kind = "DATE" if (entity.begin, entity.end) in dates else "TIME_EXPRESSION"
            place = (entity.begin, entity.end, kind)
            traits.setdefault(place, frozenset())
            dated = entity.attributes[0]
            links[place] = (dated.begin, dated.end, dated.type)
        else:
            traits[entity.begin, entity.end, entity.type] = frozenset(trait.name for trait in entity.traits)
            links.update(_attribute_links(entity))
    for place in list(links):
        traits.setdefault(place, frozenset())
    for part in record.unmapped_attributes:
        traits.setdefault((part.begin, part.end, part.type), frozenset())
    return Marked(traits, links, subtypes, codes)


def _codes(concepts: Concepts) -> dict[str, list[str]]:
    return {name: [concept.code for concept in getattr(concepts, name)] for name in CODED}


def _attribute_links(entity: Entity) -> dict[Place, Place]:
    parent = (entity.begin, entity.end, entity.type)
    return {(part.begin, part.end, part.type): parent for part in entity.attributes}
