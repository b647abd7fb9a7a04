"""The fast model's network: summed word rows and the flags of clues, then gated convolutions over the whole note.

Every layer works on one note as a matrix of words by width, so that a note's result does not depend on its batch.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - the field's name for it
from torch import Tensor, nn

from medtext.decoding import TAGS
from medtext.schema import TRAITS


class GatedConvolution(nn.Module):
    """A residual convolution over a word and its neighbours `dilation` words away, gated (Dauphin et al. 2017)."""

    def __init__(self, width: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.mix = nn.Linear(3 * width, 2 * width)
        self.dropout = nn.Dropout(dropout)
        self.dilation = dilation

    def forward(self, words: Tensor, mask: Tensor) -> Tensor:
        middle = self.norm(words) * mask
        left = F.pad(middle, (0, 0, self.dilation, 0))[..., : -self.dilation, :]
        right = F.pad(middle, (0, 0, 0, self.dilation))[..., self.dilation :, :]
        value, gate = self.mix(torch.cat([left, middle, right], -1)).chunk(2, -1)
        return words + self.dropout(value * torch.sigmoid(gate))


class Encoder(nn.Module):
    """From word vectors (the sums of their rows) and flags to tag log probabilities and trait logits."""

    def __init__(self, width: int, dilations: tuple[int, ...], flags: int, dropout: float) -> None:
        super().__init__()
        self.clues = nn.Linear(flags, width, bias=False)
        nn.init.zeros_(self.clues.weight)
        self.norm = nn.LayerNorm(width)
        self.mix = nn.Linear(width, width)
        self.convolutions = nn.ModuleList(GatedConvolution(width, dilation, dropout) for dilation in dilations)
        self.last = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)
        self.tags = nn.Linear(width, len(TAGS))
        self.traits = nn.Linear(width, len(TRAITS))

    def read(self, vectors: Tensor, flags: Tensor, mask: Tensor) -> Tensor:
        """What a word means where it stands."""
        words = self.dropout(F.relu(self.mix(self.norm(vectors + self.clues(flags)))))
        for convolution in self.convolutions:
            words = convolution(words, mask)
        return self.dropout(self.last(words))  # type: ignore[no-any-return]

    def forward(self, vectors: Tensor, flags: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        words = self.read(vectors, flags, mask)
        return self.tags(words).float(), self.traits(words).float()


class Exported(nn.Module):
    """The encoder as it ships: one note, no mask; log probabilities of tags and the words as it read them out.

    Its own opinion on traits only teaches it to see them: `medtext.training.trait_network` judges them.
    """

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, vectors: Tensor, flags: Tensor) -> tuple[Tensor, Tensor]:
        words = self.encoder.read(vectors, flags, torch.ones_like(vectors[:, :1]))
        return self.encoder.tags(words).log_softmax(-1), words


class ExportedPieces(nn.Module):
    """The teacher as it ships: one window of one note, the vectors of its pieces looked up before.

    Log probabilities of tags and the words as it read them out.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, vectors: Tensor, pool: Tensor, shapes: Tensor, flags: Tensor) -> tuple[Tensor, Tensor]:
        words = self.model.read(vectors[None], None, pool[None], shapes[None], flags[None])[0]
        return self.model.tags(words).log_softmax(-1), words
