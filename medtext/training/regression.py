"""What the two regressions of `links` and `traits` share: how they are fitted, and their command line."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression


def fit(
    rows: Iterable[Iterable[str]], right: Sequence[bool], strength: float, smallest: float
) -> list[tuple[str, float]]:
    """The features of a logistic regression with their weights; those nearer to nothing than `smallest` are left out.

    `strength` is the inverse of the regularisation (scikit-learn's C). The same rows give the same weights.
    """
    vectorizer = DictVectorizer()
    matrix = vectorizer.fit_transform([dict.fromkeys(row, 1) for row in rows])
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
