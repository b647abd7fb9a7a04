"""Prescriptions as numbers.

`words` knows what `rules/sig.tsv` says, `shapes` finds it in a text, `said` keeps what is found and says what of it is sure,
`reader` puts these together, `place` knows where in a note a prescription stands, and `lists` which drugs are listed as taken
as needed.
"""

from medtext.sig.lists import needed_lists, without_titles
from medtext.sig.place import drugs, sig_of
from medtext.sig.reader import SigReader, sig_reader

__all__ = ["SigReader", "drugs", "needed_lists", "sig_of", "sig_reader", "without_titles"]
