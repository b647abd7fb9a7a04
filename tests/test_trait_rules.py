"""What the rules of `rules/traits.toml` add to the traits of a mention; look-alikes stand beside them."""

from time import perf_counter

import pytest

from medtext.components.surroundings import surroundings
from medtext.findings import findings
from medtext.schema import TRAITS, Mention

HABITS = ("Smokes", "Tobacco", "drinks")
DRUGS = ("gabapentin", "Neurontin", "amlodipine", "ibuprofen", "apixaban", "aspirin", "metoprolol")
FINDINGS = ("PE", "effusion", "infection", "cough", "rash", "leg weakness", "asthma", "lupus", "chlamydia")


def added(nlp, text: str) -> dict[str, dict[str, float]]:
    """What the rules add to each of DRUGS, HABITS and FINDINGS in a text."""
    finder = nlp.get_pipe("medtext_traits")
    doc = nlp.get_pipe("medtext_sentences")(nlp.make_doc(text))
    kinds = {
        **dict.fromkeys(DRUGS, "GENERIC_NAME"),
        **dict.fromkeys(HABITS, "TOBACCO_USE"),
        **dict.fromkeys(FINDINGS, "DX_NAME"),
    }
    found = sorted((text.index(name), name) for name in kinds if name in text)
    findings(doc).mentions = [Mention(begin, begin + len(name), kinds[name]) for begin, name in found]
    mentions = findings(doc).mentions
    seen = surroundings(doc, finder.context, mentions, [()] * len(mentions))
    return {
        name: {trait: float(odds) for trait, odds in zip(TRAITS, row, strict=True) if odds}
        for (_, name), row in zip(found, finder.rules(doc, seen), strict=True)
    }


def signs(odds: dict[str, float]) -> str:
    return " ".join(f"{'+' if value > 0 else '-'}{trait}" for trait, value in odds.items())


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("PE not excluded.", "PE", "-NEGATION +LOW_CONFIDENCE"),
        ("A small effusion has not yet been ruled out.", "effusion", "-NEGATION +LOW_CONFIDENCE"),
        ("An infection cannot be entirely excluded.", "infection", "-NEGATION +LOW_CONFIDENCE"),
        ("PE excluded.", "PE", ""),
        ("PE was ruled out, infection not excluded.", "PE", ""),
        ("Could not exclude a small effusion.", "effusion", "-NEGATION +LOW_CONFIDENCE"),
        ("We are unable to r/o PE.", "PE", "-NEGATION +LOW_CONFIDENCE"),
        ("Does not exclude infection but no effusion.", "effusion", ""),
        ("CT to exclude PE.", "PE", ""),
        ("She ruled in for PE.", "PE", "-NEGATION"),
        ("Negative CT for PE.", "PE", "+NEGATION"),
        ("HIV negative man here for cough.", "cough", ""),
        ("The effusion is no longer seen.", "effusion", "+NEGATION"),
        ("The effusion no longer hurts.", "effusion", ""),
        ("50M h/o asthma, lupus, here for cough.", "lupus", "+PAST_HISTORY"),
        ("50M h/o asthma, here for cough.", "cough", ""),
        ("4 days h/o cough.", "cough", ""),
        ("No h/o lupus.", "lupus", ""),
        ("Lupus, asthma - no flare.", "asthma", "-NEGATION"),
        ("Old rash: no current complaint", "rash", ""),
        ("PE: -effusion -rash", "effusion", "+NEGATION"),
        ("PE: -effusion -rash", "rash", "+NEGATION"),
        ("Looks well. -effusion -rash. Sent home.", "effusion", "+NEGATION"),
        ("PMH: -asthma -lupus", "lupus", ""),
        ("Seen. -infection", "infection", ""),
        ("ROS negative other than cough.", "cough", "-NEGATION"),
        ("ROS negative except: cough", "cough", "-NEGATION"),
        ("Denies pain except for a mild rash.", "rash", "-NEGATION"),
        ("No rash except on the arm.", "rash", ""),
        ("Back pain, leg weakness, denies incontinence.", "leg weakness", "-NEGATION"),
        ("Reports rash; no fever.", "rash", "-NEGATION"),
        ("No cough, rash, no fever.", "rash", ""),
        ("Asked about cough, rash, no longer there.", "rash", ""),
        ("Any asthma? No", "asthma", "-HYPOTHETICAL -LOW_CONFIDENCE"),
        ("Any asthma since then? Yes - mild", "asthma", "-HYPOTHETICAL -LOW_CONFIDENCE"),
        ("Rash? asthma? Yes, since childhood", "asthma", "-HYPOTHETICAL -LOW_CONFIDENCE"),
        ("Possible asthma? no wheeze heard", "asthma", ""),
        ("Boyfriend has chlamydia.", "chlamydia", "+PERTAINS_TO_FAMILY"),
        ("Kidney from a donor with a history of lupus.", "lupus", "+PERTAINS_TO_FAMILY"),
        ("Wife notes cough.", "cough", ""),
        ("Lives with her wife, has lupus.", "lupus", ""),
        ("gabapentin 300 mg capsule Take 1 daily. (Patient not taking: Reported on 1/5)", "gabapentin", "+NEGATION"),
        ("gabapentin (Neurontin) 300 mg, 1 daily [Not taking]", "gabapentin", "+NEGATION"),
        ("gabapentin (Neurontin) 300 mg, 1 daily [Not taking]", "Neurontin", "+NEGATION"),
        ("gabapentin 300 mg, take one\n  capsule at night. (Patient not taking: no refill)", "gabapentin", "+NEGATION"),
        ("gabapentin 300 mg (has not been taking for a month)", "gabapentin", "+NEGATION"),
        ("gabapentin 300 mg. Patient not taking ibuprofen.", "gabapentin", ""),
        ("amlodipine 5 mg, aspirin 81 mg (not taking)", "amlodipine", ""),
        ("gabapentin 300 mg (Patient taking differently: at night)", "gabapentin", ""),
        ("gabapentin 300 mg daily\nPatient not taking: nothing else", "gabapentin", ""),
        ("metoprolol 50 mg BID (previously 25 mg BID)", "metoprolol", "-PAST_HISTORY"),
        ("aspirin daily, previously on metoprolol", "aspirin", ""),
        ("Hold metoprolol for SBP <100", "metoprolol", "-NEGATION"),
        ("hold amlodipine 5 mg if SBP is below 90", "amlodipine", "-NEGATION"),
        ("Hold metoprolol for surgery, restart if HR >60", "metoprolol", ""),
        ("Did not take her ibuprofen today.", "ibuprofen", "+NEGATION"),
        ("Has not been taking apixaban as prescribed.", "apixaban", ""),
        ("He used to take gabapentin.", "gabapentin", "+PAST_HISTORY -FUTURE"),
        ("Ran out of his metoprolol.", "metoprolol", "+PAST_HISTORY -FUTURE"),
        ("Running out of metoprolol soon.", "metoprolol", ""),
        ("She no longer takes metoprolol.", "metoprolol", "+PAST_HISTORY"),
        ("The rash no longer itches, aspirin 81 mg.", "aspirin", ""),
        ("He no longer drinks.", "drinks", "+PAST_HISTORY"),
        ("Smokes 1 ppd x 20 yrs, quit 2005", "Smokes", "+PAST_HISTORY"),
        ("Smokes 1 ppd, wants to quit", "Smokes", ""),
        ("Smokes, quit date set for May", "Smokes", ""),
        ("Tobacco: [ ] never [x] former", "Tobacco", "-NEGATION +PAST_HISTORY"),
        ("Tobacco: [ ] former [x] never", "Tobacco", ""),
        ("DISCONTINUE: amlodipine 5 mg, aspirin 81 mg", "aspirin", "+PAST_HISTORY"),
        ("Medicines stopped: amlodipine 5 mg od (oedema), aspirin 75mg", "aspirin", "+PAST_HISTORY"),
        ("Stopped: amlodipine 5mg, started aspirin 75mg", "aspirin", ""),
        ("Medicines stopped: none. aspirin 75 mg od", "aspirin", ""),
        ("Stopped meds:\namlodipine 5 mg\naspirin 81 mg", "aspirin", "+PAST_HISTORY"),
        ("She stopped: coffee, aspirin", "aspirin", ""),
        ("Medications held on admission: amlodipine 5 mg, metoprolol 25 mg", "metoprolol", "+NEGATION"),
        ("Withheld: amlodipine. Continue metoprolol", "metoprolol", ""),
        ("metoprolol 25 mg BID - HOLD until seen", "metoprolol", "+NEGATION"),
        ("aspirin interaction - hold apixaban for now", "aspirin", ""),
        ("metoprolol   status: on-hold   dosage: 25 mg", "metoprolol", "+NEGATION"),
        ("metoprolol 25 mg (hold parameters as ordered)", "metoprolol", ""),
        ("apixaban 5 mg BID (held for procedure)", "apixaban", "+NEGATION"),
        ("metoprolol 25 mg BID, hold for loose stools", "metoprolol", ""),
        ("apixaban 5 mg BID, aspirin 81 mg (on hold)", "apixaban", ""),
        ("She has not been taking her amlodipine 5 mg.", "amlodipine", "+NEGATION"),
        ("He couldn't tolerate gabapentin.", "gabapentin", "+NEGATION"),
        ("He tolerated gabapentin.", "gabapentin", ""),
        ("amlodipine was replaced with metoprolol", "amlodipine", "+PAST_HISTORY"),
        ("amlodipine was replaced with metoprolol", "metoprolol", ""),
        ("Switched from amlodipine 5 mg to metoprolol", "amlodipine", "+PAST_HISTORY"),
        ("Switch from metoprolol 25 mg to 50 mg", "metoprolol", ""),
        ("aspirin 81 mg daily, stopped apixaban", "aspirin", "-NEGATION -PAST_HISTORY"),
        ("aspirin 81 mg daily, stopped in May", "aspirin", ""),
        ("Stop: 10:45, aspirin given", "aspirin", ""),
    ],
)
def test_what_is_said_beside_a_mention(nlp, text: str, name: str, expected: str) -> None:
    assert signs(added(nlp, text)[name]) == expected


def test_the_status_of_a_row_is_its_own(nlp) -> None:
    text = (
        "amlodipine\t5 mg\tdaily\tDiscontinued\naspirin\t81 mg\tdaily\tActive\n"
        "| metoprolol | 25 mg | BID | On hold |\napixaban   5 mg   BID   Stopped   (bleed)\n"
        "gabapentin 300 mg at night. Active at home\nibuprofen 600 mg  Stop the tablets"
    )
    assert {name: signs(odds) for name, odds in added(nlp, text).items()} == {
        "amlodipine": "-NEGATION +PAST_HISTORY",
        "aspirin": "-NEGATION -PAST_HISTORY",
        "metoprolol": "+NEGATION -PAST_HISTORY",
        "apixaban": "-NEGATION +PAST_HISTORY",
        "gabapentin": "",
        "ibuprofen": "",
    }


def test_a_title_rules_its_list(nlp) -> None:
    text = (
        "START taking these medications\n  apixaban 5 mg tablet\n  Take 1 tablet twice daily\n\n"
        "  metoprolol 25 mg tablet\nCHANGE how you take these medications\n  gabapentin 100 mg\n"
        "STOP taking these medications:\n\n- amlodipine 10 mg\n- ibuprofen 600 mg\n\nTake aspirin daily.\n"
    )
    assert {name: signs(odds) for name, odds in added(nlp, text).items()} == {
        "apixaban": "+FUTURE",
        "metoprolol": "+FUTURE",
        "gabapentin": "",
        "amlodipine": "+PAST_HISTORY",
        "ibuprofen": "+PAST_HISTORY",
        "aspirin": "",
    }


def test_what_to_call_for_is_no_finding_yet(nlp) -> None:
    text = (
        "Call your doctor if you have:\n- cough over 3 days, or\n  a rash\n- leg weakness\nSeen for lupus.\n\n"
        "WHEN TO CALL US\ninfection\n\nSeek help for asthma\nPE\n"
    )
    assert {name for name, odds in added(nlp, text).items() if odds} == {"cough", "rash", "leg weakness", "infection"}


@pytest.mark.parametrize(
    "text",
    [
        "call if you have:\n" + "- a\n" * 9000,
        "call for " * 9000,
        "no longer " * 9000,
        "? no " * 9000,
        "stop taking these\n" + "- a\n" * 9000,
        "not " * 9000,
        "wife with " * 5000,
        "hold " * 9000,
        "stopped: a " * 9000,
        " " * 9000 + "aspirin" + " " * 9000,
        "1" * 50_000,
        " \n" * 9000,
        " -a" * 9000,
        "ROS: " + "-a " * 24 + "q",
    ],
    ids=lambda text: text[:8],
)
def test_hostile_texts_take_no_long(nlp, text: str) -> None:
    doc = nlp.make_doc(f"{text} aspirin rash, stop taking excluded previously held stopped active h call longer no")
    places = [doc.text.index("aspirin"), doc.text.index("rash")]
    mentions = [Mention(places[0], places[0] + 7, "GENERIC_NAME"), Mention(places[1], places[1] + 4, "DX_NAME")]
    seen = surroundings(doc, lambda _doc, mentions: [[] for _ in mentions], mentions, [(), ()])
    rules = nlp.get_pipe("medtext_traits").rules
    begin = perf_counter()
    rules(doc, seen)
    assert perf_counter() - begin < 1
