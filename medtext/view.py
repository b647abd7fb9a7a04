"""A note with its entities marked, as one page of HTML made by displaCy.

The page holds the note's text, since that is what its reader asked to see; it is made in memory, and `show` keeps the
file that a browser needs private and removes it.
"""

from __future__ import annotations

import html
import tempfile
import time
import webbrowser
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from medtext.schema import CONCEPT_LISTS, Concepts, Record

COLOURS = {
    "MEDICAL_CONDITION": "#ffb3ab",
    "MEDICATION": "#b9e3b4",
    "TEST_TREATMENT_PROCEDURE": "#aed4f2",
    "ANATOMY": "#ffd9a0",
    "BEHAVIORAL_ENVIRONMENTAL_SOCIAL": "#d9c3ee",
    "PROTECTED_HEALTH_INFORMATION": "#d0d0d0",
    "TIME_EXPRESSION": "#f4ee9f",
}
SECONDS_OPEN = 30.0
"""How long the page's file stays for the browser to read it."""

MARK = (
    '<mark id="s{begin}" class="{role}" style="background: {bg}" title="{title}">{text}'
    '<span class="label">{label}{traits}</span>{link}</mark>'
)
STYLE = """
body { font: 16px/2.2 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
.entities { white-space: pre-wrap; }
mark { padding: .15em .3em; border-radius: .3em; }
mark.attribute { border-bottom: 2px dotted #555; }
mark:target { outline: 3px solid #222; }
.label { font-size: .6em; font-weight: 600; margin-left: .4em; }
.label b { font-weight: 400; color: #900; }
mark a { font-size: .7em; text-decoration: none; margin-left: .3em; }
.legend { line-height: 2; border-bottom: 1px solid #ccc; padding-bottom: 1rem; }
.legend mark { font-size: .75em; margin-right: .5em; white-space: nowrap; }
"""


@dataclass(slots=True)
class Shown:
    """One marked stretch of the note: its labels, its traits, where its parent stands and its likeliest codes."""

    begin: int
    end: int
    category: str
    labels: list[str]
    traits: list[str]
    parent: int | None = None
    codes: list[str] = field(default_factory=list)


def page(text: str, record: Record) -> str:
    """The note as an HTML page: entities in the colour of their category, traits beside them, and on each attribute
    an arrow that leads to the entity it hangs on; under the pointer a mark shows its likeliest codes."""
    from spacy import displacy

    shown = stretches(record)
    entities = [
        {"start": part.begin, "end": part.end, "label": " ".join(part.labels), "params": _params(part)}
        for part in shown
    ]
    colours = {entity["label"]: COLOURS[part.category] for entity, part in zip(entities, shown, strict=True)}
    body = displacy.render(
        {"text": text, "ents": entities, "title": None},
        style="ent",
        manual=True,
        jupyter=False,
        options={"colors": colours, "template": MARK},
    )
    name = html.escape(record.document_id)
    head = f'<meta charset="utf-8"><title>{name}</title><style>{STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body><h1>{name}</h1>{legend()}{body}</body></html>'


def legend() -> str:
    """The categories with their colours, and how an attribute looks."""
    marks = (f'<mark style="background: {colour}">{category}</mark>' for category, colour in COLOURS.items())
    note = '<mark class="attribute">attribute <a>↦</a></mark> its arrow leads to the entity it hangs on'
    return f'<div class="legend">{"".join(marks)}<br>{note}</div>'


def stretches(record: Record) -> list[Shown]:
    """What there is to mark, in the order of the text: one for all that has the same offsets."""
    found: dict[tuple[int, int], Shown] = {}
    for entity in record.entities:
        _add(found, entity.begin, entity.end, entity.type, entity.category, [trait.name for trait in entity.traits])
        if entity.concepts:
            found[entity.begin, entity.end].codes.extend(likeliest(entity.concepts))
        for attribute in entity.attributes:
            if entity.category == "TIME_EXPRESSION":
                found[entity.begin, entity.end].parent = attribute.begin
                continue
            _add(found, attribute.begin, attribute.end, attribute.type, attribute.category, [])
            found[attribute.begin, attribute.end].parent = entity.begin
    for attribute in record.unmapped_attributes:
        _add(found, attribute.begin, attribute.end, attribute.type, attribute.category, [])
    return _without_overlaps(sorted(found.values(), key=lambda part: (part.begin, -part.end)))


def _add(
    found: dict[tuple[int, int], Shown], begin: int, end: int, label: str, category: str, traits: Iterable[str]
) -> None:
    shown = found.setdefault((begin, end), Shown(begin, end, category, [], []))
    if label not in shown.labels:
        shown.labels.append(label)
    shown.traits.extend(trait for trait in traits if trait not in shown.traits)


def likeliest(concepts: Concepts) -> list[str]:
    """The likeliest code of each terminology, with its description."""
    lists = (getattr(concepts, terminology) for terminology in CONCEPT_LISTS)
    return [f"{found[0].code} {found[0].description}" for found in lists if found]


def _without_overlaps(shown: Iterable[Shown]) -> list[Shown]:
    """displaCy prints a stretch twice where two overlap; the first stays."""
    kept: list[Shown] = []
    for part in shown:
        if not kept or part.begin >= kept[-1].end:
            kept.append(part)
    return kept


def _params(part: Shown) -> dict[str, str]:
    """What `MARK` is filled with beside displaCy's own."""
    traits = f" <b>{' '.join(part.traits)}</b>" if part.traits else ""
    link = f'<a href="#s{part.parent}">↦</a>' if part.parent is not None else ""
    role = "attribute" if part.parent is not None else "entity"
    title = html.escape("\n".join([" ".join(part.labels), *part.codes]))
    return {"begin": str(part.begin), "role": role, "traits": traits, "link": link, "title": title}


def show(content: str, seconds: float = SECONDS_OPEN) -> bool:
    """Opens the page in the browser from a private temporary file, and removes that after `seconds`.

    Returns whether a browser could be opened.
    """
    with tempfile.TemporaryDirectory(prefix="medtext-") as folder:  # made with mode 0700
        path = Path(folder) / "note.html"
        path.write_text(content, encoding="utf-8", errors="replace")
        path.chmod(0o600)
        opened = webbrowser.open(path.as_uri())
        if opened:
            time.sleep(seconds)
        return opened
