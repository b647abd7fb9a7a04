"""The values that cross medtext's lines: notes in, records out.

Names and spelling are those of the Amazon Comprehend Medical API (2018-10-30); what each type means is in the
annotation guideline (docs/guideline.md). Offsets count Unicode code points into the note exactly as it was read,
begin inclusive, end exclusive. No value here holds a piece of a note, except `Note` itself.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

CATEGORIES: Mapping[str, tuple[str, ...]] = {
    "MEDICAL_CONDITION": ("DX_NAME",),
    "MEDICATION": ("GENERIC_NAME", "BRAND_NAME"),
    "TEST_TREATMENT_PROCEDURE": ("TEST_NAME", "PROCEDURE_NAME", "TREATMENT_NAME"),
    "ANATOMY": ("SYSTEM_ORGAN_SITE",),
    "BEHAVIORAL_ENVIRONMENTAL_SOCIAL": (
        "TOBACCO_USE",
        "ALCOHOL_CONSUMPTION",
        "REC_DRUG_USE",
        "ALLERGIES",
        "GENDER",
        "RACE_ETHNICITY",
    ),
    "PROTECTED_HEALTH_INFORMATION": (
        "NAME",
        "AGE",
        "DATE",
        "ADDRESS",
        "PHONE_OR_FAX",
        "EMAIL",
        "URL",
        "ID",
        "PROFESSION",
    ),
    "TIME_EXPRESSION": ("TIME_EXPRESSION",),
}
"""The entity types of each category."""

PHI_SUBTYPES: Mapping[str, tuple[str, ...]] = {
    "NAME": ("PATIENT", "RELATIVE", "CLINICIAN"),
    "AGE": ("AGE", "AGE_OVER_89"),
    "DATE": ("DATE", "BIRTH_DATE", "YEAR"),
    "ADDRESS": ("STREET", "CITY", "STATE", "ZIP", "COUNTRY", "FACILITY", "WARD", "ORGANIZATION"),
    "PHONE_OR_FAX": ("PHONE", "FAX"),
    "EMAIL": ("EMAIL",),
    "URL": ("URL",),
    "ID": (
        "SSN",
        "MRN",
        "ACCOUNT",
        "HEALTH_PLAN",
        "LICENSE",
        "NPI",
        "DEA",
        "DEVICE",
        "VEHICLE",
        "BIOMETRIC",
        "IP",
        "USER",
        "OTHER",
    ),
    "PROFESSION": ("PROFESSION",),
}
"""The subtypes of each type of protected health information: HIPAA's identifiers (45 CFR 164.514(b)(2)), told apart.

An address of several parts has the subtype of its first.
"""

ATTRIBUTES: Mapping[str, str] = {
    "STRENGTH": "MEDICATION",
    "DOSAGE": "MEDICATION",
    "FORM": "MEDICATION",
    "ROUTE_OR_MODE": "MEDICATION",
    "FREQUENCY": "MEDICATION",
    "DURATION": "MEDICATION",
    "RATE": "MEDICATION",
    "ACUITY": "MEDICAL_CONDITION",
    "QUALITY": "MEDICAL_CONDITION",
    "DIRECTION": "ANATOMY",
    "TEST_VALUE": "TEST_TREATMENT_PROCEDURE",
    "TEST_UNIT": "TEST_TREATMENT_PROCEDURE",
    "AMOUNT": "BEHAVIORAL_ENVIRONMENTAL_SOCIAL",
}
"""Types that only hang on an entity, with the category they carry when they hang on none."""

CATEGORY_OF: Mapping[str, str] = {
    **{kind: category for category, kinds in CATEGORIES.items() for kind in kinds},
    **ATTRIBUTES,
}
TYPES: tuple[str, ...] = tuple(CATEGORY_OF)
TRAITS: tuple[str, ...] = (
    "DIAGNOSIS",
    "SYMPTOM",
    "SIGN",
    "NEGATION",
    "HYPOTHETICAL",
    "LOW_CONFIDENCE",
    "PERTAINS_TO_FAMILY",
    "PAST_HISTORY",
    "FUTURE",
)


@dataclass(frozen=True, slots=True)
class Note:
    """A note on its way in. `id` names it in the output; `text` is what was read, unchanged; `patient` says whose it is."""

    id: str
    text: str
    patient: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Mention:
    """A typed span while the pipeline works on it: `[begin, end)` in code points, and the rule or model behind it."""

    begin: int
    end: int
    type: str
    score: float = 1.0
    source: str = ""
    subtype: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.begin < self.end:
            raise ValueError(f"offsets {self.begin}..{self.end} are no span")
        if self.type not in CATEGORY_OF:
            raise ValueError(f"{self.type!r} is no entity type")

    def overlaps(self, other: Mention) -> bool:
        return self.begin < other.end and other.begin < self.end


def apart(ranked: Iterable[Mention]) -> list[Mention]:
    """The mentions without those that overlap one before them, sorted by offset."""
    kept: list[Mention] = []
    for mention in ranked:
        place = bisect_left(kept, (mention.begin, mention.end), key=lambda one: (one.begin, one.end))
        if not any(near.overlaps(mention) for near in kept[max(place - 1, 0) : place + 1]):
            kept.insert(place, mention)
    return kept


@dataclass(frozen=True, slots=True)
class Trait:
    """What is said of an entity: one of `TRAITS`, with a score between 0 and 1."""

    name: str
    score: float

    def __post_init__(self) -> None:
        if self.name not in TRAITS:
            raise ValueError(f"{self.name!r} is no trait")

    def to_json(self) -> dict[str, Any]:
        return {"Name": self.name, "Score": self.score}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Trait:
        return cls(row["Name"], row["Score"])


@dataclass(frozen=True, slots=True)
class Value:
    """What a result, a duration or a date says, as far as that is certain: numbers and codes, and nothing else.

    Args:
        low, high: the number, twice; or the ends of a range; or the one bound of "< 5". None where not stated.
        comparator: "<", "<=", ">", ">=" or "~" (about), "" for a number as it is.
        unit: a code of UCUM (https://ucum.org), "" where the note gives none that is known.
        scale: the most there is to score: 5 of "4/5".
        grade: the number of plusses: 2 of "2+" and "++".
        systolic, diastolic: of a blood pressure, in mmHg.
        interpretation: what the note says of the result, as a code of HL7's ObservationInterpretation: "H" high, "L" low,
            "N" normal, "A" abnormal, "POS", "NEG".
        reference_low, reference_high: the reference range beside it, in the value's unit.
        abnormal: whether the number lies outside that range.
        duration: of a time ("3 weeks ago"), as ISO 8601 ("P3W").
        date: as ISO 8601, as much of it as is written: "2019-03-14", "2019-03" or "2019".
    """

    low: float | None = None
    high: float | None = None
    comparator: str = ""
    unit: str = ""
    scale: int | None = None
    grade: int | None = None
    systolic: int | None = None
    diastolic: int | None = None
    interpretation: str = ""
    reference_low: float | None = None
    reference_high: float | None = None
    abnormal: bool | None = None
    duration: str = ""
    date: str = ""

    def to_json(self) -> dict[str, Any]:
        """The members that are stated."""
        members = ((name, getattr(self, field)) for field, name in VALUE_MEMBERS.items())
        return {name: member for name, member in members if member is not None and member != ""}

    @classmethod
    def from_json(cls, row: Mapping[str, Any] | None) -> Value | None:
        if row is None:
            return None
        stated = {field: row[name] for field, name in VALUE_MEMBERS.items() if row.get(name) is not None}
        return cls(**stated)


VALUE_MEMBERS: Mapping[str, str] = {
    field.name: "".join(map(str.capitalize, field.name.split("_"))) for field in fields(Value)
}
"""The fields of a `Value`, and their names in JSON."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """A span that hangs on an entity (a dose, a site, a value …), or one left without a parent."""

    id: int
    begin: int
    end: int
    type: str
    category: str
    score: float
    relationship_type: str | None = None
    relationship_score: float | None = None
    traits: tuple[Trait, ...] = ()
    source: str = ""
    value: Value | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.begin < self.end:
            raise ValueError(f"offsets {self.begin}..{self.end} are no span")

    def text(self, note: str) -> str:
        """The attribute's characters in the note it came from."""
        return note[self.begin : self.end]

    def to_json(self) -> dict[str, Any]:
        row: dict[str, Any] = {
            "Id": self.id,
            "Type": self.type,
            "Category": self.category,
            "BeginOffset": self.begin,
            "EndOffset": self.end,
            "Score": self.score,
        }
        if self.relationship_type is not None:
            row["RelationshipType"] = self.relationship_type
            row["RelationshipScore"] = self.relationship_score
        if self.value:
            row["Value"] = self.value.to_json()
        row["Traits"] = [trait.to_json() for trait in self.traits]
        row["Source"] = self.source
        return row

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Attribute:
        return cls(
            row["Id"],
            row["BeginOffset"],
            row["EndOffset"],
            row["Type"],
            row["Category"],
            row["Score"],
            row.get("RelationshipType"),
            row.get("RelationshipScore"),
            tuple(map(Trait.from_json, row["Traits"])),
            row.get("Source", ""),
            Value.from_json(row.get("Value")),
        )


@dataclass(frozen=True, slots=True)
class Sig:
    """A medication's prescription as numbers. What is not said, or not surely, is None, empty or False, and not in the JSON.

    Args:
        dose_low, dose_high: the least and the most taken at a time, in `dose_unit`; both the same where one is said, and no
            `dose_low` for "up to 2".
        dose_unit: the usual name of a unit ("mg", "mL", "tablet", "puff", "mg/kg").
        per_day_low, per_day_high: times a day, to 4 digits: "q4-6h" is 4 and 6, "every other day" 0.5, "weekly" 0.1429 (a
            month has 30 days, a year 365). Intervals of minutes and single doses have none.
        route: a code: PO, SL, BUC, IV, IM, SC, ID, IT, IO, EPI, IP, IA, IVT, PR, VAG, TOP, TD, INH, NEB, OPH, OTIC, NAS, PEG, NG.
        as_needed: "p.r.n."
        as_needed_for: begin and end, in code points of the note, of the words that say what for.
        duration_days: for how many days; half days for hours. A number of tablets ("#30") is none.
    """

    dose_low: float | None = None
    dose_high: float | None = None
    dose_unit: str = ""
    per_day_low: float | None = None
    per_day_high: float | None = None
    route: str = ""
    as_needed: bool = False
    as_needed_for: tuple[int, int] | None = None
    duration_days: float | None = None

    def __post_init__(self) -> None:
        for low, high in ((self.dose_low, self.dose_high), (self.per_day_low, self.per_day_high)):
            if low is not None and (high is None or low > high):
                raise ValueError(f"{low} to {high} is no range")

    def to_json(self) -> dict[str, Any]:
        begin, end = self.as_needed_for or (None, None)
        row = {
            "DoseLow": _whole(self.dose_low),
            "DoseHigh": _whole(self.dose_high),
            "DoseUnit": self.dose_unit or None,
            "PerDayLow": _whole(self.per_day_low),
            "PerDayHigh": _whole(self.per_day_high),
            "Route": self.route or None,
            "AsNeeded": self.as_needed or None,
            "AsNeededForBeginOffset": begin,
            "AsNeededForEndOffset": end,
            "DurationDays": _whole(self.duration_days),
        }
        return {name: value for name, value in row.items() if value is not None}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Sig:
        begin = row.get("AsNeededForBeginOffset")
        return cls(
            row.get("DoseLow"),
            row.get("DoseHigh"),
            row.get("DoseUnit") or "",
            row.get("PerDayLow"),
            row.get("PerDayHigh"),
            row.get("Route") or "",
            bool(row.get("AsNeeded")),
            None if begin is None else (begin, row["AsNeededForEndOffset"]),
            row.get("DurationDays"),
        )


@dataclass(frozen=True, slots=True)
class Concept:
    """A concept of a terminology: its code, its description there, and how likely it is meant, between 0 and 1."""

    code: str
    description: str
    score: float

    def to_json(self) -> dict[str, Any]:
        return {"Code": self.code, "Description": self.description, "Score": self.score}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Concept:
        return cls(row["Code"], row["Description"], row["Score"])


@dataclass(frozen=True, slots=True)
class Concepts:
    """The concepts that an entity may be, of each terminology the likeliest first, five at most."""

    icd10cm: tuple[Concept, ...] = ()
    rxnorm: tuple[Concept, ...] = ()
    snomedct: tuple[Concept, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The terminologies that have any."""
        lists = {name: getattr(self, field) for field, name in CONCEPT_LISTS.items()}
        return {name: [concept.to_json() for concept in concepts] for name, concepts in lists.items() if concepts}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Concepts | None:
        """From the row of an entity."""
        lists = {field: tuple(map(Concept.from_json, row.get(name) or ())) for field, name in CONCEPT_LISTS.items()}
        return cls(**lists) if any(lists.values()) else None


TERMINOLOGIES = {"icd10cm": "ICD-10-CM", "rxnorm": "RxNorm", "snomedct": "SNOMED CT"}
"""What the terminologies are called."""
CONCEPT_LISTS = {"icd10cm": "ICD10CMConcepts", "rxnorm": "RxNormConcepts", "snomedct": "SNOMEDCTConcepts"}
"""The terminologies, which are the fields of `Concepts`, and what their concepts are called in an entity's JSON."""
CODED = {
    "icd10cm": ("MEDICAL_CONDITION",),
    "rxnorm": ("MEDICATION",),
    "snomedct": ("MEDICAL_CONDITION", "TEST_TREATMENT_PROCEDURE", "ANATOMY"),
}
"""The categories of entities that a terminology has codes for."""


def _whole(number: float | None) -> float | None:
    """A whole number without its ".0"."""
    return int(number) if number is not None and number == int(number) else number


@dataclass(frozen=True, slots=True)
class Entity:
    """One entity of a record.

    `sig` is a medication's prescription as numbers, where it says anything; `concepts` are the codes of what it may be.
    """

    id: int
    begin: int
    end: int
    category: str
    type: str
    score: float
    traits: tuple[Trait, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    section: str | None = None
    source: str = ""
    subtype: str = ""
    value: Value | None = None
    sig: Sig | None = None
    concepts: Concepts | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.begin < self.end:
            raise ValueError(f"offsets {self.begin}..{self.end} are no span")
        if self.category not in CATEGORIES:
            raise ValueError(f"{self.category!r} is no category")

    def text(self, note: str) -> str:
        """The entity's characters in the note it came from; the record itself holds none of them."""
        return note[self.begin : self.end]

    def to_json(self) -> dict[str, Any]:
        row: dict[str, Any] = {
            "Id": self.id,
            "BeginOffset": self.begin,
            "EndOffset": self.end,
            "Score": self.score,
            "Category": self.category,
            "Type": self.type,
        }
        if self.subtype:
            row["Subtype"] = self.subtype
        if self.value:
            row["Value"] = self.value.to_json()
        row["Traits"] = [trait.to_json() for trait in self.traits]
        row["Attributes"] = [attribute.to_json() for attribute in self.attributes]
        if self.sig:
            row["Sig"] = self.sig.to_json()
        if self.concepts:
            row |= self.concepts.to_json()
        row["Section"] = self.section
        row["Source"] = self.source
        return row

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Entity:
        return cls(
            row["Id"],
            row["BeginOffset"],
            row["EndOffset"],
            row["Category"],
            row["Type"],
            row["Score"],
            tuple(map(Trait.from_json, row["Traits"])),
            tuple(map(Attribute.from_json, row.get("Attributes", ()))),
            row.get("Section"),
            row.get("Source", ""),
            row.get("Subtype", ""),
            Value.from_json(row.get("Value")),
            Sig.from_json(row["Sig"]) if row.get("Sig") else None,
            Concepts.from_json(row),
        )


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a note has no entities: a code for programs and a sentence for people, both free of note text."""

    code: str
    message: str

    def to_json(self) -> dict[str, str]:
        return {"Code": self.code, "Message": self.message}


@dataclass(frozen=True, slots=True)
class Record:
    """What medtext found in one note, or why it found nothing (`error`).

    `entities` and `unmapped_attributes` are tuples, except of very long notes (`medtext.windows`): there they are sequences
    whose members are made as one iterates.
    """

    document_id: str
    characters: int = 0
    model_version: str = ""
    entities: Sequence[Entity] = ()
    unmapped_attributes: Sequence[Attribute] = ()
    error: Failure | None = None

    def __post_init__(self) -> None:
        for span in self.spans():
            if span.end > self.characters:
                raise ValueError(f"offsets {span.begin}..{span.end} do not fit a note of {self.characters} characters")

    def spans(self) -> Iterator[Entity | Attribute]:
        """Every entity, attribute and unmapped attribute."""
        for entity in self.entities:
            yield entity
            yield from entity.attributes
        yield from self.unmapped_attributes

    def to_json(self) -> dict[str, Any]:
        """The record as the JSON object that medtext writes."""
        if self.error:
            return {"DocumentId": self.document_id, "Error": self.error.to_json()}
        return {
            "DocumentId": self.document_id,
            "Characters": self.characters,
            "ModelVersion": self.model_version,
            "Entities": list(self.entity_rows()),
            "UnmappedAttributes": list(self.unmapped_rows()),
        }

    def entity_rows(self) -> Iterator[dict[str, Any]]:
        """The members of the JSON's `Entities`."""
        for entity in self.entities:
            yield entity.to_json()

    def unmapped_rows(self) -> Iterator[dict[str, Any]]:
        """The members of the JSON's `UnmappedAttributes`."""
        for attribute in self.unmapped_attributes:
            yield {"Type": attribute.category, "Attribute": attribute.to_json()}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Record:
        """The inverse of `to_json`."""
        if "Error" in row:
            return cls(row["DocumentId"], error=Failure(row["Error"]["Code"], row["Error"]["Message"]))
        return cls(
            row["DocumentId"],
            row["Characters"],
            row["ModelVersion"],
            tuple(map(Entity.from_json, row["Entities"])),
            tuple(Attribute.from_json(item["Attribute"]) for item in row["UnmappedAttributes"]),
        )
