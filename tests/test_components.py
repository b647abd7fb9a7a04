"""Each step by itself, on lines that a clinician would know; negatives stand beside positives."""

from importlib.metadata import entry_points
from time import perf_counter

import pytest
import spacy
from spacy.matcher import Matcher
from spacy.tokens import Doc

from medtext.components.abbreviations import bracketed
from medtext.components.phi import ANY_CASE, CAPITALISED, again
from medtext.components.sections import SectionFinder
from medtext.config import Config
from medtext.findings import findings
from medtext.pipeline import CLUES, STEPS, build
from medtext.schema import Mention


@pytest.fixture(scope="module")
def clues():
    return build(Config(), steps=CLUES)


def test_the_order_is_one_list_and_each_step_is_a_factory(nlp) -> None:
    assert nlp.pipe_names == [f"medtext_{step}" for step in STEPS]


def test_a_pipeline_can_be_saved_and_loaded_by_spacy(nlp, tmp_path) -> None:
    names = {entry.name for entry in entry_points(group="spacy_factories")}
    assert {f"medtext_{step}" for step in STEPS} <= names
    nlp.to_disk(tmp_path)
    text = "She denies chest pain and takes Lasix 40 mg daily."
    assert findings(spacy.load(tmp_path)(text)).mentions == findings(nlp(text)).mentions


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("BP130/56", ["BP", "130", "/", "56"]),
        ("81MG q.d. p.o.", ["81", "MG", "q.d.", "p.o."]),
        ("Na147, K4.1", ["Na", "147", ",", "K", "4.1"]),
        ("WBC 12,400.", ["WBC", "12,400", "."]),
        ("x-ray", ["x", "-", "ray"]),
        ("Dr. Ames's note", ["Dr.", "Ames", "'s", "note"]),
        ("a\n\n b", ["a", "\n\n ", "b"]),
        ("", []),
    ],
)
def test_tokens(nlp, text: str, tokens: list[str]) -> None:
    doc = nlp.make_doc(text)
    assert [token.text for token in doc] == tokens
    assert doc.text == text


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("She was seen by Dr. Ames. He agreed.", ["She was seen by Dr. Ames.", "He agreed."]),
        ("Take 1 tab p.o. q.d. Call if worse.", ["Take 1 tab p.o. q.d.", "Call if worse."]),
        ("Take 1 tab p.o. q.d. with food.", ["Take 1 tab p.o. q.d. with food."]),
        ("Temp 98.6. BP 120/80.", ["Temp 98.6.", "BP 120/80."]),
        ("Lungs: clear\nHeart: no murmur\n", ["Lungs: clear", "Heart: no murmur"]),
        ("1. Asthma.\n2. Gout.", ["1. Asthma.", "2. Gout."]),
        ("- aspirin\n- metoprolol", ["- aspirin", "- metoprolol"]),
        ("Seen by J. Ames today.", ["Seen by J. Ames today."]),
        (
            "The patient was admitted with shortness of breath and was\ntreated with diuretics. Stable.",
            ["The patient was admitted with shortness of breath and was\ntreated with diuretics.", "Stable."],
        ),
        ("IMPRESSION:\n\nPneumonia.", ["IMPRESSION:", "Pneumonia."]),
        ("Is she well? Yes! Good.", ["Is she well?", "Yes!", "Good."]),
    ],
)
def test_sentences(clues, text: str, sentences: list[str]) -> None:
    assert [sentence.text.strip() for sentence in clues(text).sents] == sentences


@pytest.mark.parametrize(
    ("text", "sections"),
    [
        ("HISTORY OF PRESENT ILLNESS: She fell.", {"HISTORY_OF_PRESENT_ILLNESS": "HISTORY OF PRESENT ILLNESS"}),
        ("Meds:\naspirin\nAllergies: none", {"MEDICATIONS": "Meds", "ALLERGIES": "Allergies"}),
        (
            "S: Feels well.\nO: Afebrile.\nA/P: Go home.",
            {"HISTORY_OF_PRESENT_ILLNESS": "S", "PHYSICAL_EXAM": "O", "ASSESSMENT_AND_PLAN": "A/P"},
        ),
        ("She fell. IMPRESSION: Fracture.", {"IMPRESSION": "IMPRESSION"}),
        ("Her past medical history is long, and medications: were changed.", {}),
        ("The plan is to go home.", {}),
        ("FAMILY HISTORY\nMother had a stroke.", {"FAMILY_HISTORY": "FAMILY HISTORY"}),
        (
            "Discharge Dx: Sepsis.\nFamily psych hx: none",
            {"DIAGNOSES": "Discharge Dx", "FAMILY_HISTORY": "Family psych hx"},
        ),
        ("Seen for a new dx: sepsis.", {}),
    ],
)
def test_sections(clues, text: str, sections: dict[str, str]) -> None:
    found = findings(clues(text)).sections
    assert {section.category: text[slice(*section.heading)] for section in found} == sections


def test_a_section_reaches_to_the_next_heading(clues) -> None:
    text = "PLAN: Go home.\nALLERGIES: penicillin"
    found = findings(clues(text))
    assert found.section_of(text.index("home")) == "PLAN"
    assert found.section_of(text.index("penicillin")) == "ALLERGIES"
    assert isinstance(clues.get_pipe("medtext_sections"), SectionFinder)


@pytest.mark.parametrize(
    ("text", "word", "section"),
    [
        # what is the family's, an allergy or a field of the header ends at headings that are not known
        ("FAMILY HISTORY: Mother with gout.\n\nPERTINENT MEDICAL DATA: She has asthma.", "asthma", None),
        ("FAMILY HISTORY: Mother with gout.\n\nPERTINENT MEDICAL HISTORY: Asthma.", "Asthma", "PAST_MEDICAL_HISTORY"),
        ("FAMILY HISTORY:\nMOTHER: gout\n\nDIABETES: maternal aunt", "DIABETES", "FAMILY_HISTORY"),
        ("FH: mother gout\nDev: walks with limp", "limp", None),
        ("ALLERGIES: NKDA\nTob: one pack", "pack", None),
        ("ALLERGIES:\nPenicillin: rash\nSulfa: hives", "hives", "ALLERGIES"),
        ("ALLERGIES: none.\nLabs 1/22: anemia", "anemia", "LABORATORY"),
        ("PHYSICAL EXAM:\nGENERAL: Well.\n\nLUNGS: Wheezing.", "Wheezing", "PHYSICAL_EXAM"),
        ("PCP: Dr. Jones.\nPatient complains of cough", "cough", None),
        ("Dear Colleague:\n\nShe has gout.", "gout", None),
        ("Current medication: aspirin\n\nI reviewed this man with gout.", "gout", None),
        ("HPI: Fell.\n\nI reviewed this man with gout.", "gout", "HISTORY_OF_PRESENT_ILLNESS"),
        # a heading within a line rules its paragraph
        ("HOSPITAL COURSE: Ill. Labs: WBC 18.\n\nHe had sepsis.", "WBC", "LABORATORY"),
        ("HOSPITAL COURSE: Ill. Labs: WBC 18.\n\nHe had sepsis.", "sepsis", "HOSPITAL_COURSE"),
        ("FAMILY HISTORY: Gout. Meds: aspirin.\n\nHe had sepsis.", "sepsis", None),
        ("HPI: Fell. Impression: 1. Sprain.\n\n2. Gout.", "Gout", "IMPRESSION"),
        # letters
        ("N: Alert.\nCV: Regular.\nP: Wheezing.\nGI: Soft.", "Wheezing", None),
        ("S: Fell.\nO: Swollen.\nA: Sprain.\nP: Ice.", "Ice", "PLAN"),
        ("Assessment: Sprain.\nP: Ice.", "Ice", "PLAN"),
        ("A: Patent.\nB: Wheezing.\nC: Warm.", "Patent", None),
        # markup and titles of two
        ("Meds: aspirin\n**Assessment**\nGout", "Gout", "IMPRESSION"),
        ("Meds: aspirin\n- **Assessment:** Gout", "Gout", "IMPRESSION"),
        ("<h2>Plan</h2>\nRest the knee", "knee", "PLAN"),
        ("a <b>plan</b>\nfor the knee", "knee", None),
        ("<plan>\nfor the knee", "knee", None),
        ("Meds: aspirin\nInterval events / Subjective: fever", "fever", "HOSPITAL_COURSE"),
        ("Labs & Imaging:\nno mass", "mass", "LABORATORY"),
        ("PMH / Labs: gout", "gout", None),
        ("Plan by problem:\n#gout", "gout", "PLAN"),
        ("Psych Hx: mania", "mania", "PAST_MEDICAL_HISTORY"),
        # words with a hyphen, and copies
        ("Dx: gout\nRe-eval: pain better", "pain", "HOSPITAL_COURSE"),
        ("Dx: gout\n0440 - re-exam: pain better", "pain", "DIAGNOSES"),
        ("Dx: gout\nRe - knee pain", "pain", "HEADER"),
        ("PMH-gout", "gout", "PAST_MEDICAL_HISTORY"),
        ("cc: gout\nHPI: knee pain", "gout", "CHIEF_COMPLAINT"),
        ("CC: Dr. Lin says gout", "gout", "CHIEF_COMPLAINT"),
        ("Kind regards,\nDr Soren\ncc: Dr. P. Nwosu, gout clinic", "gout", "HEADER"),
        ("HPI: knee pain\nPlan: rest\ncc: gout clinic", "gout", "HEADER"),
        ("Meds: aspirin\nCC: gout", "gout", "CHIEF_COMPLAINT"),
        # the examinations of radiologists
        ("EXAM: CT ABD/PELVIS\nINDICATION: pain", "ABD", "PROCEDURE"),
        ("EXAM:MRI LEFT SHOULDER", "SHOULDER", "PROCEDURE"),
        ("Exam: lungs clear, CT done", "lungs", "PHYSICAL_EXAM"),
    ],
)
def test_the_section_of_a_word(clues, text: str, word: str, section: str | None) -> None:
    assert findings(clues(text)).section_of(text.index(word)) == section


@pytest.mark.parametrize(
    "text",
    [
        "**" * 25000,
        "<a" * 9000,
        "1 " * 25000 + "Labs:",
        "cc: a" * 9000,
        "A / " * 9000,
        "Labs: " * 9000,
        "P:\n" * 15000,
        "FH: a\n\n" + "Ab cd: " * 8000,
        "\n \n" * 15000,
        "FH: " + "\n\nI am " * 8000,
    ],
    ids=lambda text: text[:8],
)
def test_sections_of_hostile_texts_take_no_long(clues, text: str) -> None:
    begin = perf_counter()
    clues.get_pipe("medtext_sections")(clues.make_doc(text))
    assert perf_counter() - begin < 5


def test_abbreviations_that_the_note_defines(clues) -> None:
    text = "He has atrial fibrillation (AF). AF is controlled. An MRI (magnet) was done."
    long_forms = findings(clues(text)).long_forms
    assert {text[slice(*short)]: text[slice(*long)] for short, long in long_forms.items()} == {
        "AF": "atrial fibrillation"
    }
    assert [text[slice(*short)] for short in long_forms] == ["AF", "AF"]
    assert not findings(clues("He has atrial fibrillation.")).long_forms


@pytest.mark.parametrize(
    "text", ["( a ( b c ) ) ( d e", "( ( ( a ) b ) c ) ) ( )", "(", ") a ( b ) (", "a ( b c d e f g h i j )"]
)
def test_brackets_are_those_that_spacys_matcher_would_find(clues, text: str) -> None:
    matcher = Matcher(clues.vocab)
    matcher.add("brackets", [[{"ORTH": "("}, {"OP": "+"}, {"ORTH": ")"}]])
    doc = Doc(clues.vocab, text.split())
    assert [match[1:] for match in bracketed(doc)] == [match[1:] for match in matcher(doc) if match[2] - match[1] <= 10]


@pytest.mark.parametrize("text", ["xxx (HCC), " * 4500, "(AB " * 12000, "(A " * 6000 + ") " * 6000])
def test_abbreviations_of_hostile_texts_take_no_long(clues, text: str) -> None:
    begin = perf_counter()
    clues.get_pipe("medtext_abbreviations")(clues.make_doc(text))
    assert perf_counter() - begin < 5


def lexicon(clues, text: str) -> set[tuple[str, str]]:
    doc = clues(text)
    return {(doc[begin:end].text, kind) for begin, end, kind in findings(doc).lexicon}


@pytest.mark.parametrize(
    ("text", "term", "kind"),
    [
        ("She takes Lasix.", "Lasix", "BRAND_NAME"),
        ("she takes FUROSEMIDE", "FUROSEMIDE", "GENERIC_NAME"),
        ("He has shortness of breath.", "shortness of breath", "DX_NAME"),
        ("He has shortness\n of breath.", "shortness\n of breath", "DX_NAME"),
        ("The abdomen is soft.", "abdomen", "SYSTEM_ORGAN_SITE"),
        ("A hemoglobin was sent.", "hemoglobin", "TEST_NAME"),
    ],
)
def test_terms_of_the_lexicon(clues, text: str, term: str, kind: str) -> None:
    assert (term, kind) in lexicon(clues, text)


@pytest.mark.parametrize("word", ["his", "all", "as", "it", "was", "the", "is"])
def test_words_that_never_count(clues, word: str) -> None:
    assert word not in {term.lower() for term, _ in lexicon(clues, f"and {word} of")}


def found_by(clues, source: str, text: str) -> set[tuple[str, str]]:
    return {
        (text[one.begin : one.end], one.type)
        for one in findings(clues(text)).candidates
        if one.source.startswith(source)
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lisinopril 10 mg b.i.d.", {("10 mg", "DOSAGE"), ("b.i.d.", "FREQUENCY")}),
        (
            "take 2 tablets every 4 to 6 hours as needed",
            {("2 tablets", "DOSAGE"), ("every 4 to 6 hours as needed", "FREQUENCY")},
        ),
        ("BP 130/80", {("BP", "TEST_NAME"), ("130/80", "TEST_VALUE")}),
        ("SpO2 97%", {("SpO2", "TEST_NAME"), ("97", "TEST_VALUE"), ("%", "TEST_UNIT")}),
        ("fell 3 weeks ago", {("3 weeks ago", "TIME_EXPRESSION")}),
        ("at 125 mL/hr", {("125 mL/hr", "RATE")}),
        ("L4-L5 disc", set()),
        ("room 12 of the house", set()),
    ],
)
def test_patterns(clues, text: str, expected: set) -> None:
    assert found_by(clues, "pattern:", text) >= expected
    assert bool(found_by(clues, "pattern:", text)) == bool(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("MRN: 4471932", ("4471932", "ID")),
        ("SSN 219-09-9999", ("219-09-9999", "ID")),
        ("NPI 1457382910", ("1457382910", "ID")),
        ("Call (614) 555-0137.", ("(614) 555-0137", "PHONE_OR_FAX")),
        ("Fax: 207-555-0165", ("207-555-0165", "PHONE_OR_FAX")),
        ("a.b@mail.example", ("a.b@mail.example", "EMAIL")),
        ("see www.mail.example/x", ("www.mail.example/x", "URL")),
        ("seen 03/14/2019", ("03/14/2019", "DATE")),
        ("seen March 3, 2021", ("March 3, 2021", "DATE")),
        ("a 58-year-old", ("58", "AGE")),
        ("Dr. O'Hara agrees", ("O'Hara", "NAME")),
        ("Ines Vandermolen, MD", ("Ines Vandermolen", "NAME")),
        ("Patient: TOLLIVER, Jonah", ("TOLLIVER, Jonah", "NAME")),
        ("works as a welder", ("welder", "PROFESSION")),
        ("from Larkfield Regional Hospital", ("Larkfield Regional Hospital", "ADDRESS")),
        ("host 10.118.9.41", ("10.118.9.41", "ID")),
    ],
)
def test_protected_health_information(clues, text: str, expected: tuple[str, str]) -> None:
    assert expected in found_by(clues, "phi:", text)


@pytest.mark.parametrize(
    "text",
    [
        "L4-L5 stenosis", "B12 level", "T10 vertebra", "H1 blocker", "BP 120/80", "strength 5/5", "pain 8/10",
        "Parkinson disease", "Foley catheter", "Babinski sign", "MRN not known", "1/2 tablet", "at 10:30", "2-3 beers",
        "platelets 245,000", "Dr. will call", "XYZ", "the patient", "gestational age 29-3/7 weeks", "G2P1",
    ],
)  # fmt: skip
def test_look_alikes_are_no_identifiers(clues, text: str) -> None:
    assert found_by(clues, "phi:", text) == set()


def test_a_name_is_found_again_without_its_title(clues) -> None:
    text = "Dr. Vandermolen called. Later Vandermolen wrote; the Vandermolens did not."
    names = [text[one.begin : one.end] for one in findings(clues(text)).candidates if one.type == "NAME"]
    assert names.count("Vandermolen") == 3  # by its title, and twice again


@pytest.mark.parametrize(("like", "found_again"), [(ANY_CASE, ["okafor", "okafor"]), (CAPITALISED, [])])
def test_a_name_without_a_capital_is_found_again_where_any_case_will_do(like, found_again: list[str]) -> None:
    text = "spoke to nurse okafor; okafor will call, the okaforhouse did not"
    sure = Mention(15, 21, "NAME", 0.9, "ner")

    def names(found: list[Mention], carried: dict[str, str] | None) -> list[str]:
        return [text[one.begin : one.end] for one in again(text, found, frozenset({"nurse"}), carried, like)]

    assert names([sure], None) == found_again
    assert names([], {"okafor": "CLINICIAN"}) == found_again  # sure in an earlier window


def resolve(nlp, *candidates: Mention) -> list[tuple[int, int, str, str]]:
    mentions = nlp.get_pipe("medtext_resolve").resolve(candidates)
    return [(one.begin, one.end, one.type, one.source) for one in mentions]


@pytest.mark.parametrize(
    ("candidates", "kept"),
    [
        ([(0, 5, "DX_NAME", 0.6, "ner"), (3, 9, "ID", 0.99, "phi:exact:mrn")], [(3, 9, "ID", "phi:exact:mrn")]),
        ([(0, 5, "DX_NAME", 0.6, "ner"), (3, 9, "NAME", 0.4, "phi:name-degree")], [(3, 9, "NAME", "phi:name-degree")]),
        ([(0, 5, "GENERIC_NAME", 0.9, "lexicon:GENERIC_NAME")], [(0, 5, "GENERIC_NAME", "lexicon:GENERIC_NAME")]),
        ([(0, 5, "DURATION", 0.4, "pattern:duration")], []),
        (
            [(0, 5, "DX_NAME", 0.6, "ner"), (5, 9, "DX_NAME", 0.6, "ner")],
            [(0, 5, "DX_NAME", "ner"), (5, 9, "DX_NAME", "ner")],
        ),
        ([(0, 9, "DX_NAME", 0.6, "ner"), (0, 4, "DX_NAME", 0.6, "ner")], [(0, 9, "DX_NAME", "ner")]),
        ([(0, 4, "NAME", 0.9, "phi:name-titled"), (0, 4, "NAME", 0.5, "ner")], [(0, 4, "NAME", "phi:name-titled")]),
        ([(0, 4, "NAME", 0.5, "ner"), (2, 9, "DX_NAME", 0.9, "ner")], [(0, 4, "NAME", "ner")]),
        # what a sure pattern says is before the model, and behind identifiers
        (
            [(0, 4, "TEST_NAME", 0.9, "ner"), (0, 4, "RATE", 0.99, "pattern:sure-rate")],
            [(0, 4, "RATE", "pattern:sure-rate")],
        ),
        (
            [(0, 9, "ADDRESS", 0.4, "ner"), (0, 4, "RATE", 0.99, "pattern:sure-rate")],
            [(0, 9, "ADDRESS", "ner")],
        ),
    ],
)
def test_overlaps_are_resolved_by_rank_and_score(nlp, candidates, kept) -> None:
    mentions = [Mention(*candidate) for candidate in candidates]
    assert resolve(nlp, *mentions) == kept
    assert resolve(nlp, *reversed(mentions)) == kept


@pytest.mark.parametrize(
    ("text", "target", "kind", "types"),
    [
        # Epic's category of a diagnosis, and the carcinoma
        ("Atrial fibrillation (HCC)", "HCC", "DX_NAME", []),
        ("Morbid obesity (CMS/HCC)", "HCC", "DX_NAME", []),
        ("CKD stage 3 (CMS-HCC)", "CMS-HCC", "DX_NAME", []),
        ("Hepatocellular carcinoma (HCC) after TACE", "HCC", "DX_NAME", ["DX_NAME"]),
        ("A liver mass (HCC) was ablated.", "HCC", "DX_NAME", ["DX_NAME"]),
        ("He has HCC.", "HCC", "DX_NAME", ["DX_NAME"]),
        # what a culture was tested with, and what the patient takes
        ("UCx: E. coli (S: CTX, Zosyn; R: amp, cipro)", "Zosyn", "BRAND_NAME", ["TEST_NAME"]),
        ("UCx: E. coli (S: CTX, Zosyn; R: amp, cipro)", "cipro", "BRAND_NAME", ["TEST_NAME"]),
        ("MRSA resistant to oxacillin and clindamycin", "clindamycin", "GENERIC_NAME", ["TEST_NAME"]),
        ("Sputum grew Pseudomonas, R mero", "mero", "GENERIC_NAME", ["TEST_NAME"]),
        ("Susceptibilities: ampicillin R, cefazolin S", "cefazolin", "GENERIC_NAME", ["TEST_NAME"]),
        ("MRSA resistant to oxacillin, treated with vancomycin", "vancomycin", "GENERIC_NAME", ["GENERIC_NAME"]),
        ("Sputum grew MRSA. Start vancomycin", "vancomycin", "GENERIC_NAME", ["GENERIC_NAME"]),
        ("Blood cultures drawn, R: vancomycin 1 g IV", "vancomycin", "GENERIC_NAME", ["GENERIC_NAME"]),
        ("Seen for UC resistant to infliximab", "infliximab", "GENERIC_NAME", ["GENERIC_NAME"]),
        ("She is sensitive to codeine.", "codeine", "GENERIC_NAME", ["GENERIC_NAME"]),
        # letters
        ("albuterol 108 (90 Base) MCG/ACT inhaler", "ACT", "GENERIC_NAME", []),
        ("FEV1 38% pred", "pred", "GENERIC_NAME", []),
        ("pred 10 mg daily", "pred", "GENERIC_NAME", ["GENERIC_NAME"]),
        ("No f/c/ns.", "ns", "GENERIC_NAME", []),
        ("D5/NS at 75", "NS", "GENERIC_NAME", ["GENERIC_NAME"]),
        ("81yoF with stroke", "yoF", "DX_NAME", []),
        ("Plt fell from 210K to 88K.", "K", "TEST_NAME", ["TEST_UNIT"]),
        ("Na 138K 4.1", "K", "TEST_NAME", ["TEST_NAME"]),
        ("Na 138, K 4.1", "K", "TEST_NAME", ["TEST_NAME"]),
        ("Height 5 ft 10 in", "ft", "TEST_NAME", ["TEST_UNIT"]),
        ("Temperature Oral: 36.9 DegC", "DegC", "TEST_NAME", ["TEST_UNIT"]),
        ("FT 4", "FT", "TEST_NAME", ["TEST_NAME"]),
        ("INR goal 2-3, ASA 81, Crestor 40", "ASA", "TEST_NAME", ["GENERIC_NAME"]),
        ("INR goal 2-3, ASA 81, Crestor 40", "81", "TEST_VALUE", ["STRENGTH"]),
        ("Mallampati 2, ASA 3E", "ASA", "GENERIC_NAME", ["TEST_NAME"]),
        ("ASA 3. Midazolam 4", "ASA", "GENERIC_NAME", ["TEST_NAME"]),
        ("ASA 3. Midazolam 4", "3", "STRENGTH", ["TEST_VALUE"]),
        ("ASA 300 and clopidogrel 75", "ASA", "GENERIC_NAME", ["GENERIC_NAME"]),
    ],
)
def test_forms_correct_what_words_say(nlp, text: str, target: str, kind: str, types: list[str]) -> None:
    begin = text.rindex(target)
    mention = Mention(begin, begin + len(target), kind)
    assert [one.type for one in nlp.get_pipe("medtext_resolve").corrections(text, [mention])] == types


def context(nlp, text: str, target: str) -> set[str]:
    doc = nlp.make_doc(text)
    doc = nlp.get_pipe("medtext_sentences")(doc)
    at = text.index(target)
    (verdicts,) = nlp.get_pipe("medtext_traits").context(doc, [Mention(at, at + len(target), "DX_NAME")])
    return {verdict.category for verdict in verdicts}


@pytest.mark.parametrize(
    ("text", "target", "category"),
    [
        ("She denies chest pain.", "chest pain", "NEGATED_EXISTENCE"),
        ("Pneumonia was ruled out.", "Pneumonia", "NEGATED_EXISTENCE"),
        ("Possible pneumonia.", "pneumonia", "POSSIBLE_EXISTENCE"),
        ("History of stroke.", "stroke", "HISTORICAL"),
        ("Return if fever develops.", "fever", "HYPOTHETICAL"),
        ("Mother had diabetes.", "diabetes", "FAMILY"),
        ("Cough (denied), rash.", "Cough", "NEGATED_EXISTENCE"),
    ],
)
def test_context(nlp, text: str, target: str, category: str) -> None:
    assert category in context(nlp, text, target)


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("No fever but has cough.", "cough"),
        ("No fever. She has cough.", "cough"),
        ("She has pneumonia.", "pneumonia"),
        ("There is no change in the tumor.", "tumor"),
        ("Gout (no tophi (ever)), cough.", "cough"),
    ],
)
def test_context_stops_where_the_cue_does(nlp, text: str, target: str) -> None:
    assert "NEGATED_EXISTENCE" not in context(nlp, text, target)
