"""A leak report: how many identifiers there are in a folder's notes, of which kinds, and which notes are at most risk.

It holds counts and document ids, and nothing of a note; ids can be hashed.
"""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from medtext.policy import PHI
from medtext.schema import Record

INDIRECT = frozenset(
    {
        *("AGE", "AGE AGE", "AGE AGE_OVER_89", "DATE", "DATE DATE", "DATE YEAR", "PROFESSION", "PROFESSION PROFESSION"),
        *("ADDRESS CITY", "ADDRESS STATE", "ADDRESS ZIP", "ADDRESS COUNTRY", "ADDRESS FACILITY", "ADDRESS WARD"),
        *("ADDRESS ORGANIZATION", "NAME CLINICIAN", "ID NPI", "ID DEA"),
    }
)
"""What leads to a person only together with other things, or to a clinician; all else is a direct identifier."""
PER = 1000  # characters
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0 2rem; }
th, td { border-bottom: 1px solid #ccc; padding: .2rem .8rem; text-align: left; }
td.number, th.number { text-align: right; }
"""


@dataclass(frozen=True, slots=True)
class DocumentRisk:
    """One note's identifiers, in numbers."""

    document_id: str
    characters: int
    identifiers: int
    direct: int

    @property
    def per_1000(self) -> float:
        return round(PER * self.identifiers / self.characters, 2) if self.characters else 0.0


@dataclass(slots=True)
class LeakReport:
    """Adds up records. A line for each note is kept, and no more of it."""

    kinds: Counter[str] = field(default_factory=Counter)
    documents: list[DocumentRisk] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)

    def add(self, record: Record) -> None:
        if record.error:
            self.failed.append((record.document_id, record.error.code))
            return
        kinds = [f"{one.type} {one.subtype}".strip() for one in record.entities if one.category == PHI]
        self.kinds.update(kinds)
        direct = sum(kind not in INDIRECT for kind in kinds)
        self.documents.append(DocumentRisk(record.document_id, record.characters, len(kinds), direct))

    def ranked(self) -> list[DocumentRisk]:
        """The notes, those with most direct identifiers first, then those with most identifiers for their length."""
        return sorted(self.documents, key=lambda one: (-one.direct, -one.per_1000, one.document_id))

    def to_json(self) -> dict[str, Any]:
        return {
            "Documents": len(self.documents),
            "DocumentsWithIdentifiers": sum(one.identifiers > 0 for one in self.documents),
            "DocumentsWithDirectIdentifiers": sum(one.direct > 0 for one in self.documents),
            "Identifiers": self.kinds.total(),
            "Direct": sum(one.direct for one in self.documents),
            "Types": [
                {"Type": kind, "Subtype": subtype or None, "Direct": direct, "Count": count}
                for kind, subtype, direct, count in self._counted()
            ],
            "Risks": [
                {
                    "Rank": rank,
                    "DocumentId": one.document_id,
                    "Direct": one.direct,
                    "Identifiers": one.identifiers,
                    "Characters": one.characters,
                    "Per1000Characters": one.per_1000,
                }
                for rank, one in enumerate(self.ranked(), 1)
            ],
            "Failed": [{"DocumentId": name, "Code": code} for name, code in self.failed],
        }

    def _counted(self) -> Iterator[tuple[str, str, bool, int]]:
        for name, count in sorted(self.kinds.items()):
            kind, _, subtype = name.partition(" ")
            yield kind, subtype, name not in INDIRECT, count

    def to_html(self) -> str:
        """The report as one page."""
        said = self.to_json()
        types = [
            (row["Type"], row["Subtype"] or "", "direct" if row["Direct"] else "", row["Count"])
            for row in said["Types"]
        ]
        risks = [
            (
                row["Rank"],
                row["DocumentId"],
                row["Direct"],
                row["Identifiers"],
                row["Characters"],
                row["Per1000Characters"],
            )
            for row in said["Risks"]
        ]
        sentence = (
            f"{said['Identifiers']} identifiers, {said['Direct']} of them direct, in {said['DocumentsWithIdentifiers']} of "
            f"{said['Documents']} notes. What medtext misses is not in these numbers."
        )
        body = [
            "<h1>Identifiers found</h1>",
            f"<p>{sentence}</p>",
            _table(("Type", "Subtype", "", "Count"), types),
            _table(("Rank", "Document", "Direct", "All", "Characters", "Per 1,000 characters"), risks),
        ]
        if self.failed:
            body.append("<h2>Notes that could not be read</h2>" + _table(("Document", "Why"), self.failed))
        head = f'<meta charset="utf-8"><title>Identifiers found</title><style>{STYLE}</style>'
        return f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(body)}</body></html>\n'


def _table(names: tuple[str, ...], rows: list[tuple[Any, ...]]) -> str:
    head = "".join(f"<th>{html.escape(name)}</th>" for name in names)
    lines = "".join("<tr>" + "".join(map(_cell, row)) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{lines}</table>"


def _cell(value: object) -> str:
    kind = ' class="number"' if isinstance(value, int | float) else ""
    return f"<td{kind}>{html.escape(str(value))}</td>"
