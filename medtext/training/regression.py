"""What the regressions of identifiers and their subtypes share: how they are fitted, and their command line."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression

RAREST = 3  # a feature seen less often gets no weight
EARLIER = ""
"""What the weights that are gone on from say, as a feature: its weight tells how far it holds."""


def fit(
    rows: Sequence[Sequence[str]],
    right: Sequence[bool],
    strength: float,
    smallest: float,
    start: Mapping[str, float] | None = None,
) -> list[tuple[str, float]]:
    """The features of a logistic regression with their weights; those nearer to nothing than `smallest` are left out.

    So are those that are seen less often than `RAREST`. `strength` is the inverse of the regularisation (scikit-learn's
    C). `start` are weights to go on from: what they say of a row is one more feature, and the new ones are added to them as
    far as it holds. The same rows give the same weights.
    """
    counts = Counter(feature for row in rows for feature in row)
    known = [{feature: 1.0 for feature in row if counts[feature] >= RAREST} for row in rows]
    if start:
        for features, row in zip(known, rows, strict=True):
            features[EARLIER] = sum(start.get(feature, 0.0) for feature in row)
    vectorizer = DictVectorizer()
    matrix = vectorizer.fit_transform(known)
    # scikit-learn takes 32-bit indices only
    matrix.indices, matrix.indptr = matrix.indices.astype("int32"), matrix.indptr.astype("int32")
    model = LogisticRegression(C=strength, max_iter=400, fit_intercept=False, random_state=0).fit(matrix, right)
    weights = dict(zip(map(str, vectorizer.get_feature_names_out()), map(float, model.coef_[0]), strict=True))
    holds = weights.pop(EARLIER, 0.0)
    for feature, weight in (start or {}).items():
        weights[feature] = weights.get(feature, 0.0) + holds * weight
    return [(name, round(weight, 3)) for name, weight in weights.items() if abs(weight) >= smallest]


def options_of(description: str | None) -> argparse.Namespace:
    """The command line of a script that learns from gold files: `gold`, `dev`, `start` and `out`, whose folder is made."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gold", type=Path, nargs="+", required=True)
    parser.add_argument("--dev", type=Path, nargs="*", default=[])
    parser.add_argument("--start", type=Path, help="a file of weights to go on from")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    return options
