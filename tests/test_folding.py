"""Look-alike characters and wrapped lines: read as what they are, with offsets into the note as it stands."""

from time import perf_counter

import pytest

import medtext
from medtext.folding import fold


@pytest.mark.parametrize(
    ("note", "read"),
    [
        ("atrial ﬁbrillation", "atrial fibrillation"),
        ("hyper\u00adtension", "hypertension"),
        ("Boris\u200blav", "Borislav"),
        ("ＤＯＢ ０３／０４／１９６１", "DOB 03/04/1961"),
        ("Mаrtin", "Martin"),  # a Cyrillic a
        ("well\u2011known", "well-known"),
    ],
)
def test_look_alikes_are_read_as_what_they_look_like(note, read) -> None:
    folded = fold(note)
    assert folded
    assert folded.text == read


@pytest.mark.parametrize(
    "note", ["chest pain", "β-blocker", "5 µg", "Боль в груди", "naïve café – “quoted”", "αβγ", ""]
)
def test_what_is_no_look_alike_stays_as_it_is(note) -> None:
    assert fold(note) is None


def test_offsets_lead_back_to_the_note() -> None:
    note = "a\u200bb ﬁ c"
    folded = fold(note)
    assert folded.text == "ab fi c"
    assert note[folded.begin(3) : folded.end(5)] == "ﬁ"
    assert note[folded.begin(0) : folded.end(2)] == "a\u200bb"


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        ("MRN: ４４７１９３２", {("４４７１９３２", "ID")}),
        ("Patient: Mаrtin Kowalski", {("Mаrtin Kowalski", "NAME")}),
        ("SSN: 512\u201144\u20119087", {("512\u201144\u20119087", "ID")}),
        ("SSN: 512\u201044\u20109087", {("512\u201044\u20109087", "ID")}),
        ("She has hyper\u00adtension.", {("hyper\u00adtension", "DX_NAME")}),
    ],
)
def test_entities_are_found_where_they_stand(note, expected, nlp) -> None:
    record = medtext.extract(note, nlp=nlp)
    assert {(note[one.begin : one.end], one.type) for one in record.entities} == expected
    assert record.characters == len(note)


WRAPPED = """HISTORY OF PRESENT ILLNESS:
She was brought in by ambulance with two hours of crushing chest
pain, which began while she was out shoveling snow. She takes
lisinopril 10 mg daily, aspirin 81 mg daily, and metoprolol 25
mg twice daily, and was seen last week by Dr. Marguerite
Vandenberg.

ALLERGIES: penicillin
"""
LISTED = """The patient is doing well after surgery and wants to go home today
aspirin 81 mg daily with food in the morning, for her heart disease
lisinopril 10 mg daily
metoprolol 25 mg twice daily
"""


def test_wrapped_prose_is_read_as_prose() -> None:
    folded = fold(WRAPPED)
    assert folded.text.split("\n") == [
        "HISTORY OF PRESENT ILLNESS:",
        "She was brought in by ambulance with two hours of crushing chest pain, which began while she was out shoveling snow. "
        "She takes lisinopril 10 mg daily, aspirin 81 mg daily, and metoprolol 25 mg twice daily, and was seen last week "
        "by Dr. Marguerite Vandenberg.",
        "",
        "ALLERGIES: penicillin",
        "",
    ]


@pytest.mark.parametrize(
    "note",
    [
        LISTED,
        "chest\npain",
        "\n".join(60 * "a" for _ in range(3)).upper(),
        "\n".join(["| Hgb | 8.2 | g/dL | 12.0-15.5 | last seen in the spring of this year |"] * 4),
    ],
    ids=["list", "short", "capitals", "table"],
)
def test_lines_that_are_lines_stay_apart(note) -> None:
    assert fold(note) is None


@pytest.mark.parametrize(
    ("below", "stays"),
    [("and she is well", False), ("PLAN", True), ("2. gout", True), ("- gout", True), ("Plan: rest", True)],
)
def test_a_heading_or_an_item_under_a_full_line_begins_anew(below, stays) -> None:
    note = f"{WRAPPED}\nShe is now quite free of pain and there is nothing left to do\n{below}\n"
    assert (f"\n{below}" in fold(note).text) is stays


def test_a_line_beyond_the_margin_is_no_part_of_it() -> None:
    line = f"\nBP 120/80 {'and so on ' * 7}\nSeen today.\n"
    assert fold(WRAPPED + line).text == fold(WRAPPED).text + line


def test_blanks_at_a_wrapped_line_end_are_one() -> None:
    note = WRAPPED.replace("chest\n", "chest \r\n  ")
    folded = fold(note)
    assert folded.text == fold(WRAPPED).text
    begin = folded.text.index("chest pain")
    assert note[folded.begin(begin) : folded.end(begin + len("chest pain"))] == "chest \r\n  pain"


def test_entities_go_over_wrapped_line_ends(nlp) -> None:
    record = medtext.extract(WRAPPED, nlp=nlp)
    found = {(WRAPPED[one.begin : one.end], one.type): one for one in record.entities}
    assert {("chest\npain", "DX_NAME"), ("Marguerite\nVandenberg", "NAME")} <= found.keys()
    sig = found["metoprolol", "GENERIC_NAME"].sig
    assert (sig.dose_low, sig.dose_unit, sig.per_day_low) == (25, "mg", 2)


@pytest.mark.parametrize("note", ["\n" * 50_000, (" " * 70 + "\n") * 700, ("a " * 40 + "\n") * 600, "9" * 50_000])
def test_folding_takes_no_time(note) -> None:
    start = perf_counter()
    fold(note)
    assert perf_counter() - start < 2
