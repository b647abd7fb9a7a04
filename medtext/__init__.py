"""medtext: clinical entities, traits and protected health information from notes, on your own machine.

    import medtext
    nlp = medtext.load()
    record = medtext.extract("She denies chest pain.", nlp=nlp)
    for entity in record.entities:
        print(entity.type, entity.begin, entity.end, [trait.name for trait in entity.traits])

Records hold offsets, in code points of the note, and none of its text.
"""

from medtext import spark
from medtext.api import extract, load, redact, stream
from medtext.config import Config
from medtext.errors import MedtextError, ModelError, NoteError, RuleError, UsageError
from medtext.policy import Policy, load_policy
from medtext.schema import Attribute, Entity, Failure, Mention, Note, Record, Trait
from medtext.version import __version__

__all__ = [
    "Attribute",
    "Config",
    "Entity",
    "Failure",
    "MedtextError",
    "Mention",
    "ModelError",
    "Note",
    "NoteError",
    "Policy",
    "Record",
    "RuleError",
    "Trait",
    "UsageError",
    "__version__",
    "extract",
    "load",
    "load_policy",
    "redact",
    "spark",
    "stream",
]
