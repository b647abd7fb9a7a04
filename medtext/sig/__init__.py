"""Prescriptions as numbers.

`words` knows what `rules/sig.tsv` says, `shapes` finds it in a text, `said` keeps what is found and says what of it is sure,
`reader` puts these together, and `place` knows where in a note a drug's prescription stands.
"""

from medtext.sig.place import drugs, sig_of
from medtext.sig.reader import SigReader, sig_reader

__all__ = ["SigReader", "drugs", "sig_of", "sig_reader"]
