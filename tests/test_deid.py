"""Redaction: who is who, dates, surrogates, and offsets, on names and numbers that we made up."""

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

import medtext
from medtext.config import CAREFUL
from medtext.deid.dates import Calendar
from medtext.deid.fakes import sex_of
from medtext.deid.keyed import Keyed
from medtext.deid.people import People, read_name
from medtext.deid.redact import MODES, Redaction, redact_note
from medtext.deid.replacing import AT_ONCE, Replacement, replace
from medtext.deid.surrogates import shift
from medtext.errors import RuleError, UsageError
from medtext.policy import PHI, Policy, load_policy
from medtext.schema import PHI_SUBTYPES, Entity, Record

KEY = "a key for tests"
MARK = re.compile(r"\[([^|\[\]]+)\|([A-Z_]+)(?: ([A-Z_0-9]+))?\]")


def marked(line: str) -> tuple[str, Record]:
    """ "Seen by Dr. [Vreeland|NAME CLINICIAN]." as a note and its record."""
    text, entities, end = "", [], 0
    for match in MARK.finditer(line):
        text += line[end : match.start()]
        begin = len(text)
        text += match[1]
        entities.append(Entity(len(entities) + 1, begin, len(text), PHI, match[2], 1.0, subtype=match[3] or ""))
        end = match.end()
    assert entities, "the line marks nothing"
    text += line[end:]
    return text, Record("note", len(text), "", tuple(entities))


def redacted(line: str, mode: str, policy: str = "expert", scope: str = "patient-1", key: str = KEY) -> str:
    text, record = marked(line)
    return redact_note(text, record, Redaction(mode, load_policy(policy), key), scope).text


# Policies


def test_every_subtype_is_decided_as_the_policies_say() -> None:
    counted = {
        name: {
            f"{kind} {subtype}"
            for kind, subtypes in PHI_SUBTYPES.items()
            for subtype in subtypes
            if load_policy(name).includes(kind, subtype)
        }
        for name in ("safe-harbor", "limited-data-set", "expert")
    }
    everything = {f"{kind} {subtype}" for kind, subtypes in PHI_SUBTYPES.items() for subtype in subtypes}
    assert counted["expert"] == everything
    kept = {"ADDRESS STATE", "ADDRESS COUNTRY", "DATE YEAR", "AGE AGE", "PROFESSION PROFESSION"}
    assert everything - counted["safe-harbor"] == kept
    more = {"ADDRESS CITY", "ADDRESS ZIP", "DATE DATE", "DATE BIRTH_DATE", "AGE AGE_OVER_89"}
    assert everything - counted["limited-data-set"] == kept | more


def test_what_has_no_subtype_counts_where_its_type_has_one_that_does() -> None:
    safe_harbor, limited = load_policy("safe-harbor"), load_policy("limited-data-set")
    assert all(safe_harbor.includes(kind) for kind in ("NAME", "AGE", "DATE", "ADDRESS", "ID"))
    assert not safe_harbor.includes("PROFESSION")
    assert not limited.includes("DATE")
    assert limited.includes("ADDRESS")


@pytest.mark.parametrize(("subtype", "policy"), [("STATE", "safe-harbor"), ("CITY", "limited-data-set")])
def test_a_place_that_may_be_a_person_counts(subtype: str, policy: str) -> None:
    one = load_policy(policy)
    assert one.includes("ADDRESS", subtype, 0.3)
    assert not one.includes("ADDRESS", subtype, 0.9)
    assert not one.includes("AGE", "AGE", 0.3)


@pytest.mark.parametrize(
    ("content", "error", "said"),
    [
        ('[[policy]]\nid = "a"\ndescription = "b"\ncounts = ["NAMES"]', RuleError, "there is no type 'NAMES'"),
        ('[[policy]]\nid = "a"\ndescription = "b"\ncounts = ["ID SNN"]', RuleError, "ID has no subtype 'SNN'"),
        ('[[policy]]\nid = "a"\ndescription = "b"\ncounts = []', RuleError, "names something"),
        ('[[policy]]\nid = "a"\ndescription = "b"\ncounts = "NAME"', RuleError, "is a list"),
        ('[[policy]]\nid = "a"\ncount = ["NAME"]', RuleError, "unknown key 'count'"),
        ('[[polizy]]\nid = "a"', RuleError, "needs one [[policy]], and has 0"),
    ],
)
def test_a_policy_that_is_wrong_is_refused(content: str, error: type[Exception], said: str, tmp_path) -> None:
    (tmp_path / "mine.toml").write_text(content)
    with pytest.raises(error, match=re.escape(said)):
        load_policy(tmp_path / "mine.toml")


def test_a_policy_of_ones_own_and_one_that_there_is_not(tmp_path) -> None:
    (tmp_path / "mine.toml").write_text('[[policy]]\nid = "mine"\ndescription = "d"\ncounts = ["ID SSN"]')
    assert load_policy(tmp_path / "mine.toml") == Policy("mine", "d", ("ID SSN",))
    with pytest.raises(UsageError, match="there are expert, limited-data-set, safe-harbor"):
        load_policy("strict")


def test_a_record_is_narrowed_by_the_policy(nlp) -> None:
    text = "Mr. Tolliver was seen on 03/14/2019 for chest pain."
    config = medtext.Config(policy=load_policy("limited-data-set"))
    types = {entity.type for entity in medtext.extract(text, nlp=nlp, config=config).entities}
    assert types >= {"NAME", "DX_NAME"}
    assert "DATE" not in types


def test_how_likely_an_identifier_must_be() -> None:
    text = "Mr. Tolliver was seen on 03/14/2019 for chest pain. Page 2/4."
    found = {}
    for threshold in (0.0001, 0.2, 1.0):
        record = medtext.extract(text, config=medtext.Config(phi_threshold=threshold))
        found[threshold] = {(entity.begin, entity.end) for entity in record.entities if entity.category == PHI}
        assert any(entity.type == "DX_NAME" for entity in record.entities)
    assert found[1.0] == set()
    assert {(4, 12), (25, 35)} == found[0.2] < found[0.0001]
    with pytest.raises(UsageError, match="above 0 and at most 1, not 0"):
        medtext.Config(phi_threshold=0)


def test_redaction_takes_what_extraction_is_not_sure_enough_of(monkeypatch) -> None:
    asked = []
    monkeypatch.setattr("medtext.api.extract", lambda text, nlp, config: asked.append(config) or marked(text)[1])
    for config in (None, medtext.Config("accurate")):
        with pytest.raises(UsageError, match="characters"):  # the record above is of the unmarked text
            medtext.redact("[Tolliver|NAME PATIENT]", config=config)
    assert [config.phi_threshold for config in asked] == [CAREFUL, CAREFUL]
    assert asked[1].model == "accurate"


# Modes


def test_mask_leaves_the_kind_and_what_does_not_count() -> None:
    line = "[Jonah Tolliver|NAME PATIENT], [58|AGE AGE], of [Ohio|ADDRESS STATE], seen [3/4/21|DATE DATE], smokes since [1999|DATE YEAR]."
    said = "[NAME], 58, of Ohio, seen [DATE], smokes since 1999."
    assert redacted(line, "mask", "safe-harbor") == said
    assert redacted(line, "mask", "limited-data-set") == "[NAME], 58, of Ohio, seen 3/4/21, smokes since 1999."


def test_a_tag_is_the_same_for_the_same_person() -> None:
    line = (
        "[TOLLIVER, JONAH R.|NAME PATIENT] MRN [44-71|ID MRN]. Mr. [Tolliver|NAME PATIENT] came with his wife "
        "[Mary Tolliver|NAME RELATIVE]. [Jonah|NAME PATIENT] ([JT|NAME PATIENT]) was seen by Dr. [Petra Halvorsen|NAME CLINICIAN]. "
        "[P. Halvorsen|NAME CLINICIAN], MRN [44-71|ID MRN]"
    )
    assert redacted(line, "tag") == (
        "[NAME-1] MRN [ID-1]. Mr. [NAME-1] came with his wife [NAME-2]. [NAME-1] ([NAME-1]) was seen by Dr. [NAME-3]. "
        "[NAME-3], MRN [ID-1]"
    )


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Jonah Tolliver", "TOLLIVER, JONAH", True),
        ("Jonah Tolliver", "Tolliver, Jonah R.", True),
        ("Jonah Tolliver", "J. Tolliver", True),
        ("Jonah Tolliver", "Tolliver", True),
        ("Jonah Tolliver", "jonah", True),
        ("Jonah Tolliver", "J.T.", True),
        ("Jonah Tolliver", "JRT", True),
        ("Jonah Tolliver", "Tolliver's", True),
        ("Yevgenia Sharapova-Lund", "Lund", True),
        ("Anneke van der Meulen", "Ms. Meulen", True),
        ("Chloé Dubois", "CHLOE DUBOIS", True),
        ("Jonah Tolliver", "Mary Tolliver", False),
        ("Jonah Tolliver", "Mrs. Tolliver", False),
        ("Jonah R. Tolliver", "Jonah S. Tolliver", False),
        ("Jonah Tolliver", "Jonah Vreeland", False),
        ("Minh Le", "Minh Do", False),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_who_is_who(one: str, other: str, same: bool, turned: bool) -> None:
    names = [read_name(one), read_name(other)]
    people = People(reversed(names) if turned else names, sex_of)
    assert (people.of[names[0]] == people.of[names[1]]) is same


def test_a_title_before_the_name_tells_a_wife_from_her_husband() -> None:
    line = "[Jonah Tolliver|NAME] and Mrs. [Tolliver|NAME]; Mr. [Tolliver|NAME] is well."
    assert redacted(line, "tag") == "[NAME-1] and Mrs. [NAME-2]; Mr. [NAME-1] is well."


def test_a_hash_is_the_same_in_every_note_and_another_with_another_key() -> None:
    first = redacted("[Jonah Tolliver|NAME] came. [Tolliver|NAME] left.", "hash", scope="a")
    one, again = re.findall(r"\[NAME-[a-p]{16}\]", first)
    assert one == again
    assert redacted("Seen: [TOLLIVER, JONAH|NAME]", "hash", scope="b") == f"Seen: {one}"
    assert redacted("Seen: [TOLLIVER, JONAH|NAME]", "hash", key="other") != f"Seen: {one}"
    assert redacted("[Mary Tolliver|NAME]", "hash") != one


@pytest.mark.parametrize("mode", ["hash", "surrogate"])
def test_keyed_modes_want_a_key(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MEDTEXT_HASH_KEY", raising=False)
    with pytest.raises(UsageError, match="MEDTEXT_HASH_KEY"):
        Redaction(mode, load_policy("expert"))
    monkeypatch.setenv("MEDTEXT_HASH_KEY", KEY)
    assert KEY not in repr(Redaction(mode, load_policy("expert"), KEY))


# Surrogates


def test_a_person_has_one_new_name_in_every_form() -> None:
    line = "[TOLLIVER, JONAH|NAME]; Mr. [Tolliver|NAME]; [Jonah Tolliver|NAME]; [J. Tolliver|NAME]; [JT|NAME]; [Mary Tolliver|NAME]"
    comma, mister, whole, initial, initials, wife = redacted(line, "surrogate").split("; ")
    given_name, family = whole.split()
    assert sex_of(given_name.lower()) == "M"
    assert {given_name, family}.isdisjoint({"Jonah", "Tolliver"})
    assert comma == f"{family}, {given_name}".upper()
    assert mister == f"Mr. {family}"
    assert initial == f"{given_name[0]}. {family}"
    assert initials == given_name[0] + family[0]
    assert wife.split()[1] == family
    assert sex_of(wife.split()[0].lower()) == "F"


def test_surrogates_are_the_same_within_a_patient_and_no_further() -> None:
    line = "[Jonah Tolliver|NAME], [3/4/21|DATE DATE], MRN [4471-0932|ID MRN]"
    assert redacted(line, "surrogate") == redacted(line, "surrogate")
    others = {redacted(line, "surrogate", scope=f"patient-{number}") for number in range(5)}
    assert len(others) == 5
    assert redacted(line, "surrogate", key="other") != redacted(line, "surrogate")


@pytest.mark.parametrize(
    ("old", "kind", "form"),
    [
        ("4471-0932", "ID MRN", r"\d{4}-\d{4}"),
        ("MRN-44a", "ID MRN", r"[A-Z]{3}-\d\d[a-z]"),
        ("219-09-4471", "ID SSN", r"9\d\d-00-\d{4}"),
        ("219 09 4471", "ID SSN", r"9\d\d 00 \d{4}"),
        ("xxx-xx-4471", "ID SSN", r"xxx-xx-\d{4}"),
        ("192.168.4.17", "ID IP", r"192\.0\.2\.\d{1,3}"),
        ("(614) 867-5309", "PHONE_OR_FAX PHONE", r"\([2-8]\d\d\) 555-01\d\d"),
        ("+1-614-867-5309", "PHONE_OR_FAX PHONE", r"\+1-[2-8]\d\d-555-01\d\d"),
        ("614.867.5309 x 20", "PHONE_OR_FAX PHONE", r"[2-8]\d\d\.555\.01\d\d x \d\d"),
        ("+44 1632 960123", "PHONE_OR_FAX PHONE", r"\+\d\d \d{4} \d{6}"),
        ("zyx.quill@canary.example", "EMAIL EMAIL", r"[a-z0-9.]+@example\.org"),
        ("www.canary.example/a?b=7", "URL URL", r"www\.example\.org/[0-9a-f]{8}"),
        ("https://canary.example", "URL URL", r"https://example\.org"),
        (
            "8871 Vraxmoor Lane, Columbus, OH 43215",
            "ADDRESS STREET",
            r"\d{4} (?!Vraxmoor)\w+ Lane, (?!Columbus)[\w ]+, OH 432",
        ),
        ("Provo UT 84601-0417", "ADDRESS CITY", r"(?!Provo)[\w ]+ UT 846"),
        ("03601", "ADDRESS ZIP", "000"),
        ("Vraxmoor Valley Hospital", "ADDRESS FACILITY", r"(?!Vraxmoor)\w+ (?!Valley)\w+ Hospital"),
        ("Vraxmoor Hills 90210", "ADDRESS ORGANIZATION", r"(?!Vraxmoor)\w+ (?!Hills)\w+ 902"),
        ("ZQD on Vraxmoor Ave", "ADDRESS ORGANIZATION", r"(?!ZQD)[A-Z]+ on (?!Vraxmoor)\w+ Ave"),
        ("Grove Hospital", "ADDRESS FACILITY", r"(?!Grove)\w+ Hospital"),
        ("Vraxmoor Partnership", "ADDRESS ORGANIZATION", r"(?!Vraxmoor)\w+ Partnership"),
        ("3 Vraxmoor Close", "ADDRESS STREET", r"[0-24-9] (?!Vraxmoor)\w+ Close"),
        ("Court Row", "ADDRESS STREET", r"(?!Court)\w+ (?!Row)\w+"),
        ("4 East", "ADDRESS WARD", r"[0-35-9] East"),
        ("92", "AGE AGE_OVER_89", r"90\+"),
        ("ninety-four", "AGE AGE_OVER_89", r"90\+"),
        ("58", "AGE AGE", "58"),
        ("LOGGER", "PROFESSION PROFESSION", r"(?!LOGGER)[A-Z /()-]+"),
        ("Labor Day", "DATE DATE", r"\[DATE\]"),
    ],
)
def test_a_surrogate_keeps_the_form(old: str, kind: str, form: str) -> None:
    policy = "safe-harbor" if kind.startswith("ADDRESS") else "expert"
    for scope in map(str, range(8)):
        new = redacted(f"x [{old}|{kind}] y", "surrogate", policy, scope)
        assert re.fullmatch(f"x {form} y", new), new
        assert new != f"x {old} y" or kind == "AGE AGE"


def test_names_of_every_spelling_change() -> None:
    for name in (
        "Minh Le",
        "LE, MINH",
        "Do",
        "al-Rashidi",
        "O'Brien",
        "Tol\u200bliver",
        "Anneke van der Meulen-Osei",
        "李 王",
        "tr",
        "Z.",
    ):
        words = [word.lower() for word in re.findall(r"[^\W\d_]{2,}", name) if word not in ("al", "van", "der")]
        for scope in map(str, range(5)):
            new = redacted(f"[{name}|NAME]", "surrogate", scope=scope).lower()
            assert new != name.lower()
            assert not set(words) & set(re.findall(r"[^\W\d_]{2,}", new)), (name, new)


def test_names_stay_of_their_culture_and_their_sex() -> None:
    from medtext.deid.fakes import family_locale

    new = redacted("[Priya Agarwal|NAME] and [Guadalupe Acevedo|NAME]", "surrogate")
    first, second = (name.split() for name in new.split(" and "))
    assert family_locale(first[1].lower()) == "en_IN"
    assert family_locale(second[1].lower()) == "es_MX"
    assert sex_of(first[0].lower()) == "F"
    for scope in map(str, range(5)):  # the title knows better than the list of "Jean"
        given_names = redacted("Mr. [Jean-Paul Dupont|NAME]", "surrogate", scope=scope).split()[1].split("-")
        assert "F" not in map(sex_of, map(str.lower, given_names))


@pytest.mark.parametrize(
    ("days", "old", "new"),
    [
        (-10, "3/4/21", "2/22/21"),
        (-10, "03/14/2021", "03/04/2021"),
        (-10, "2021-03-04", "2021-02-22"),
        (-10, "20210304", "20210222"),
        (-10, "March 4th, 2021", "February 22nd, 2021"),
        (-10, "MAR-04", "FEB-22"),
        (-10, "4 Mar 2021", "22 Feb 2021"),
        (-10, "04.07.1960", "03.28.1960"),
        (-10, "Feb. 24, '25", "Feb. 14, '25"),
        (-10, "11SEP2031", "1SEP2031"),
        (-40, "March 2021", "February 2021"),
        (-364, "3/2021", "3/2020"),
        (-364, "1999", "1998"),
        (-3, "Tuesday", "Saturday"),
        (-3, "Tues", "Sat"),
        (-3, "MONDAYS", "FRIDAYS"),
        (-3, "Wed, Aug 6, 2025", "Sun, Aug 3, 2025"),
        (-3, "Saturday the 1st of March", "Wednesday the 26th of February"),
        (-3, "3/4/21 - 3/6/21", "3/1/21 - 3/3/21"),
        (-3, "2/29", "2/26"),
        (-3, "Labor Day", None),
        (-3, "summer 2025", None),
        (-3, "13/45/21", None),
        (-3, "12-14 March 2021", None),
        (-3, "4/l7/25", None),
    ],
)
def test_dates_are_shifted_as_they_are_written(days: int, old: str, new: str | None) -> None:
    assert Calendar(days).shifted(old) == new


def test_a_note_that_writes_the_day_first_is_read_so() -> None:
    calendar = Calendar.of(["25/12/2020", "04.07.1960"], -10)
    assert calendar.shifted("04.07.1960") == "24.06.1960"
    assert calendar.shifted("3/4/2021") == "24/3/2021"


@given(st.integers(0, 1 << 30), st.dates(), st.dates())
def test_the_shift_keeps_intervals(patient: int, one, other) -> None:
    import datetime

    days = shift(Keyed(KEY, str(patient)))
    assert -364 <= days < 0
    assert days % 7
    calendar = Calendar(days)
    try:
        new = [datetime.date.fromisoformat(calendar.shifted(day.isoformat()) or "") for day in (one, other)]
    except ValueError:
        assert min(one, other).year == 1  # before the calendar begins
        return
    assert new[1] - new[0] == other - one


def test_a_birth_date_that_tells_an_age_over_89_is_masked() -> None:
    line = "Seen [3/4/2021|DATE DATE], born [5/1/{}|DATE BIRTH_DATE]."
    assert redacted(line.format("1931"), "surrogate").endswith("born [DATE].")
    assert redacted(line.format("31"), "surrogate").endswith("born [DATE].")
    assert "[DATE]" not in redacted(line.format("1960"), "surrogate")


def test_a_state_is_replaced_only_where_it_counts() -> None:
    line = "[Provo, UT|ADDRESS CITY]"
    assert redacted(line, "surrogate", "safe-harbor").endswith(", UT")
    assert {redacted(line, "surrogate", "expert", str(scope))[-2:] for scope in range(5)} != {"UT"}


# Offsets

TEXTS = st.text(string.ascii_letters + " é\n\U0001f600", min_size=1, max_size=60)


@given(TEXTS, st.lists(st.tuples(st.integers(0, 60), st.integers(1, 9)), max_size=8), st.sampled_from(MODES))
def test_offsets_go_there_and_back(text: str, cuts: list[tuple[int, int]], mode: str) -> None:
    spans = [(begin, min(begin + size, len(text))) for begin, size in cuts if begin < len(text)]
    entities = tuple(
        Entity(number, begin, end, PHI, ("NAME", "ID", "PROFESSION")[number % 3], 1.0)
        for number, (begin, end) in enumerate(sorted(spans), 1)
    )
    done = redact_note(text, Record("a", len(text), "", entities), Redaction(mode, load_policy("expert"), KEY))
    inside = {place for one in done.replaced for place in range(one.begin + 1, one.end)}
    covered = inside | {one.begin for one in done.replaced}
    assert covered == {place for begin, end in spans for place in range(begin, end)}
    for place in set(range(len(text) + 1)) - inside:
        assert done.to_old(done.to_new(place)) == place
        if place < len(text) and place not in covered:
            assert done.text[done.to_new(place)] == text[place]
    for one in done.replaced:
        assert one.new_begin < one.new_end
        assert (done.to_new(one.begin), done.to_new(one.end)) == (one.new_begin, one.new_end)


def test_many_replacements_in_one_text() -> None:
    number = 3 * AT_ONCE + 7
    text = "ab " * number
    done = replace(text, [Replacement(3 * place, 3 * place + 1, "ID", "", "<xyz>") for place in range(number)])
    assert done.text == "<xyz>b " * number
    assert len(done.replaced) == number
    assert all(done.text[one.new_begin : one.new_end] == "<xyz>" for one in done.replaced)


# The library


def test_redact_reads_the_note_where_no_record_is_given(nlp) -> None:
    text = "Patient: Marisol Ibarra, MRN: 4471-0932. She denies chest pain."
    done = medtext.redact(text, nlp=nlp)
    assert done.text == "Patient: [NAME], MRN: [ID]. She denies chest pain."
    at = text.index("chest pain")
    assert done.text[done.to_new(at) : done.to_new(at + 10)] == "chest pain"
    assert medtext.redact(text, mode="tag", record=medtext.extract(text, nlp=nlp)).text.count("[NAME-1]") == 1


def test_redact_refuses_what_it_cannot_do(nlp) -> None:
    with pytest.raises(UsageError, match="There is no mode 'blur'"):
        medtext.redact("Seen.", mode="blur", nlp=nlp)
    with pytest.raises(UsageError, match="is of a note of 3 characters"):
        medtext.redact("Seen.", record=Record("a", 3))
    with pytest.raises(medtext.NoteError, match="empty"):
        medtext.redact("  ", nlp=nlp)


def test_clinical_entities_come_out_the_same_from_the_redacted_samples(nlp) -> None:
    """995 of 1,000 and more do, measured on all the samples in all modes; here some of them in one."""
    from tests.conftest import SAMPLES

    same = there = 0
    for name in ("progress_note.txt", "telephone_encounter.txt", "clinic_letter.txt"):
        text = (SAMPLES / name).read_text(encoding="utf-8")
        before = medtext.extract(text, nlp=nlp)
        done = medtext.redact(text, mode="surrogate", key=KEY, record=before)
        after = medtext.extract(done.text, nlp=nlp)
        spans = [
            {(move(one.begin), move(one.end), one.type) for one in record.entities if one.category != PHI}
            for record, move in ((before, int), (after, done.to_old))
        ]
        same += len(spans[0] & spans[1])
        there += len(spans[0])
    assert there > 50
    assert same / there > 0.97
