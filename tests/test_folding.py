"""Look-alike characters: read as what they look like, with offsets into the note as it stands."""

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
