"""medspaCy's rules of sections and ConText, without the rest of its package.

`import medspacy` takes five seconds and a hundred megabytes, nearly all for QuickUMLS (nltk, scipy), of which the
parts used here need nothing. They are imported under a bare package of that name with a QuickUMLS that is empty; both
stand-ins are taken away again, so that a user's own `import medspacy` finds the real ones. Nothing of PyRuSH is loaded,
which would write note text to standard error through loguru.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from types import ModuleType


@contextmanager
def _bare_medspacy() -> Iterator[None]:
    if "medspacy" in sys.modules:
        yield
        return
    spec = find_spec("medspacy")
    if spec is None or spec.submodule_search_locations is None:
        raise ModuleNotFoundError("medspaCy is not installed; install medtext with its requirements.")
    package = ModuleType("medspacy")
    package.__path__ = list(spec.submodule_search_locations)
    quickumls = ModuleType("quickumls")
    quickumls.spacy_component = None  # type: ignore[attr-defined]
    stand_ins = {"medspacy": package, "quickumls": quickumls}
    own = [name for name in stand_ins if name not in sys.modules]
    sys.modules.update({name: stand_ins[name] for name in own})
    try:
        yield
    finally:
        for name in own:
            sys.modules.pop(name, None)


# Its matcher says at every note that it has no patterns of a kind that is not used here.
warnings.filterwarnings("ignore", message=r"\[W036\]", category=UserWarning, module=r"medspacy\.")

with _bare_medspacy():
    from medspacy.common.medspacy_matcher import MedspacyMatcher
    from medspacy.context import ConTextGraph, ConTextModifier, ConTextRule
    from medspacy.section_detection import SectionRule

__all__ = ["ConTextGraph", "ConTextModifier", "ConTextRule", "MedspacyMatcher", "SectionRule"]
