"""The pipeline, in the order in which it runs."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from medtext.version import __version__

if TYPE_CHECKING:
    from spacy.language import Language

    from medtext.config import Config

STEPS = (
    "sentences",  # sentence starts, right on clinical layout
    "sections",  # medspaCy's sectionizer over rules/sections.tsv
    "abbreviations",  # scispaCy: abbreviations that a note defines itself
    "lexicon",  # terms of rules/lexicons: candidates, and features of the model
    "patterns",  # doses, frequencies, values, vital signs, times
    "phi",  # Presidio on this Doc
    "ner",  # the trained model, to which all of the above are clues
    "phi_review",  # all that may be protected health information, judged once more
    "resolve",  # candidates -> mentions without overlaps
    "attributes",  # attributes on their entity
    "values",  # results, durations and dates as numbers and codes
    "traits",  # ConText, the section and the model
    "prescriptions",  # what is prescribed of a medication, as numbers
    "concepts",  # codes of ICD-10-CM, RxNorm and SNOMED CT
)
"""Each is the module `medtext.components.<step>` and the spaCy factory `medtext_<step>`."""
CLUES = STEPS[: STEPS.index("ner")]
"""What runs before the model."""
READING = (*CLUES, "ner")
"""What runs up to the model, and it."""
LEARNED = ("ner", "phi_review", "attributes", "traits")
"""What reads the folder of a model."""


def build(config: Config, steps: Sequence[str] = STEPS) -> Language:
    """The spaCy pipeline that `config` describes, with everything loaded; `steps` for a part of it.

    Raises `RuleError` for a rule file that does not check out and `ModelError` for a model that is not there.
    """
    import spacy

    from medtext.components.tokenizer import NAME

    nlp = spacy.blank("en", config={"nlp": {"tokenizer": {"@tokenizers": NAME}}})
    rules = str(config.rules) if config.rules else ""
    for step in steps:
        if step == "concepts" and not config.coded:
            continue
        import_module(f"medtext.components.{step}")
        settings: dict[str, object] = {"rules": rules}
        if step in LEARNED:
            settings["model"] = config.model
        if step == "phi_review":
            settings["threshold"] = config.to_load().phi_threshold
        nlp.add_pipe(f"medtext_{step}", config=settings)
    version = __version__
    if "ner" in steps:
        version += f"+{nlp.get_pipe('medtext_ner').tagger.version}"
    nlp.meta.update(name="medtext", version=version)
    return nlp
