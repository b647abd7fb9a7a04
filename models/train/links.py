"""Learns the weights of `medtext.components.attributes` from gold links, and writes them as `links.tsv`.

    python -m models.train.links --gold train.jsonl other_styles.jsonl --dev dev.jsonl … --out models/fast/links.tsv

A logistic regression over pairs of an attribute and a possible parent; the same seed gives the same weights.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import spacy
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression

from medtext.components.attributes import DEPENDENT, SITE, AttributeLinker, pairs
from medtext.config import Config
from medtext.pipeline import build
from medtext.schema import Mention

RAREST = 3  # a feature seen less often gets no weight
SMALLEST = 0.02  # a weight nearer to nothing is left out


def gold_notes(paths: Iterable[Path]) -> Iterator[tuple[str, list[Mention], dict[int, int], list[int]]]:
    """Each note's text, mentions, gold links by place, and sentence starts."""
    nlp = build(Config(), steps=("sentences",))
    for path in paths:
        for line in path.open(encoding="utf-8"):
            row = json.loads(line)
            spans = sorted(row["spans"], key=lambda span: (span["start"], span["end"], span["type"]))
            place_of = {span["id"]: place for place, span in enumerate(spans)}
            mentions = [Mention(span["start"], span["end"], span["type"]) for span in spans]
            links = {
                place: place_of[span["parent"]] for place, span in enumerate(spans) if span["parent"] is not None
            }
            yield row["text"], mentions, links, [sentence.start_char for sentence in nlp(row["text"]).sents]


def learn(paths: Sequence[Path]) -> dict[str, float]:
    """The weights, by feature."""
    rows: list[dict[str, int]] = []
    right: list[bool] = []
    for text, mentions, links, starts in gold_notes(paths):
        owners = {place: parent for place, parent in links.items() if mentions[place].type == SITE}
        for place, mention in enumerate(mentions):
            if mention.type in DEPENDENT:
                for parent, features in pairs(text, mentions, place, starts, owners):
                    rows.append(dict.fromkeys(features, 1))
                    right.append(links.get(place) == parent)
    counts: dict[str, int] = {}
    for row in rows:
        for feature in row:
            counts[feature] = counts.get(feature, 0) + 1
    kept = [{feature: 1 for feature in row if counts[feature] >= RAREST} for row in rows]
    vectorizer = DictVectorizer()
    model = LogisticRegression(C=1.0, max_iter=400, fit_intercept=False, random_state=0)
    matrix = vectorizer.fit_transform(kept)
    matrix.indices, matrix.indptr = matrix.indices.astype("int32"), matrix.indptr.astype("int32")
    model.fit(matrix, right)
    weights = zip(vectorizer.get_feature_names_out(), model.coef_[0], strict=True)
    return {str(name): round(float(weight), 3) for name, weight in weights if abs(weight) >= SMALLEST}


def f1(weights: dict[str, float], paths: Sequence[Path]) -> tuple[float, float, float]:
    """Precision, recall and F1 of links between gold spans."""
    linker = AttributeLinker(weights)
    right = found = wanted = 0
    for text, mentions, links, starts in gold_notes(paths):
        predicted = {place: link.parent for place, link in linker.links(text, mentions, starts)}
        right += sum(links.get(place) == parent for place, parent in predicted.items())
        found, wanted = found + len(predicted), wanted + len(links)
    precision, recall = right / found, right / wanted
    return precision, recall, 2 * precision * recall / (precision + recall)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gold", type=Path, nargs="+", required=True)
    parser.add_argument("--dev", type=Path, nargs="*", default=[])
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    weights = learn(options.gold)
    lines = "".join(f"{feature}\t{weight}\n" for feature, weight in sorted(weights.items()))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(lines, encoding="utf-8")
    for path in options.dev:
        print(path.name, "P {:.3f} R {:.3f} F1 {:.3f}".format(*f1(weights, [path])))


if __name__ == "__main__":
    main()
