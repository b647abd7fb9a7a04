"""Precision, recall and F1 of records, or of medtext itself, against gold.

Gold is JSON Lines of `{"id", "text", "spans": [{"id", "start", "end", "type", "traits", "parent"}]}`; a record is brought
into the same shape and counted by `medtext.scores`.
"""

from __future__ import annotations

import json
import operator
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
            _check(row)
        except (ValueError, KeyError, TypeError):
            raise UsageError(f"Line {number} of {path} is not a gold note: id, text and spans that fit it.") from None
        if row["id"] in seen:
            raise UsageError(f"Line {number} of {path} has an id that an earlier line has.")
        seen.add(row["id"])
        yield row
    if not seen:
        raise UsageError(f"{path} holds no gold notes.")


def _lines(path: Path) -> list[str]:
    """Split at line feeds only: a JSON string may hold other line ends (U+2028) as they are."""
    try:
        return path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError):
        raise UsageError(f"{path} cannot be read as UTF-8 text.") from None


def _check(row: dict[str, Any]) -> None:
    """Raises an error of Python's for what is no gold note; makes its id a string."""
    row["id"] = str(row["id"])
    numbers = [span["id"] for span in row["spans"]]
    if not isinstance(row["text"], str) or len(set(numbers)) < len(numbers):
        raise ValueError
    for span in row["spans"]:
        if not 0 <= operator.index(span["start"]) < operator.index(span["end"]) <= len(row["text"]):
            raise ValueError
        if span["type"] not in TYPES or span.get("parent") not in (None, *numbers):
            raise ValueError
        if not all(isinstance(code, str) for name in CODED for code in _several(span.get(name) or [])):
            raise ValueError
        if not set(TRAITS).issuperset(span.get("traits") or ()):
            raise ValueError


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
