"""What the regressions of identifiers and their subtypes share: how they are fitted, and their command line."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression

RAREST = 3  # a feature seen less often gets no weight


def fit(
    rows: Sequence[Sequence[str]], right: Sequence[bool], strength: float, smallest: float
) -> list[tuple[str, float]]:
    """The features of a logistic regression with their weights; those nearer to nothing than `smallest` are left out.

    So are those that are seen less often than `RAREST`. `strength` is the inverse of the regularisation (scikit-learn's
    C). The same rows give the same weights.
    """
    counts = Counter(feature for row in rows for feature in row)
    vectorizer = DictVectorizer()
    matrix = vectorizer.fit_transform([{feature: 1 for feature in row if counts[feature] >= RAREST} for row in rows])
    # scikit-learn takes 32-bit indices only
    matrix.indices, matrix.indptr = matrix.indices.astype("int32"), matrix.indptr.astype("int32")
    model = LogisticRegression(C=strength, max_iter=400, fit_intercept=False, random_state=0).fit(matrix, right)
    weights = zip(vectorizer.get_feature_names_out(), model.coef_[0], strict=True)
    return [(str(name), round(float(weight), 3)) for name, weight in weights if abs(weight) >= smallest]


def options_of(description: str | None) -> argparse.Namespace:
    """The command line of a script that learns from gold files: `gold`, `dev` and `out`, whose folder is made."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gold", type=Path, nargs="+", required=True)
    parser.add_argument("--dev", type=Path, nargs="*", default=[])
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    return options
