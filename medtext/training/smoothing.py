"""Makes an encoder lose less in eight bits (SmoothQuant, Xiao et al. 2023).

What its linear layers are given is evened out between columns, and their weights make up for it, so that a few large columns
no longer take up the whole range.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

SHARE = 0.7
"""How much of the difference between columns goes to the weights; 0.5 and 0.8 were tried."""
LEAST = 1e-3  # of a scale


class Scaled(nn.Module):
    """A layer whose input is divided by a scale, column by column; its weights were multiplied by it."""

    def __init__(self, layer: nn.Module, scale: Tensor) -> None:
        super().__init__()
        self.layer = layer
        self.register_buffer("inverse", 1 / scale)

    def forward(self, states: Tensor, *rest: Any, **named: Any) -> Any:
        return self.layer(states * self.inverse, *rest, **named)


@torch.no_grad()
def smooth(encoder: nn.Module, run: Callable[[], object]) -> None:
    """Smooths every layer of a BERT encoder in place. `run` reads some text with it, for the size of what layers are given."""
    layers: Sequence[Any] = encoder.encoder.layer  # type: ignore[assignment]
    groups = [
        (owner, name, linears)
        for layer in layers
        for owner, name, linears in (
            (layer.attention, "self", [getattr(layer.attention.self, name) for name in ("query", "key", "value")]),
            (layer.attention.output, "dense", [layer.attention.output.dense]),
            (layer, "intermediate", [layer.intermediate.dense]),
            (layer.output, "dense", [layer.output.dense]),
        )
    ]
    largest: dict[nn.Module, Tensor] = {}

    def measure(linear: nn.Module, given: tuple[Tensor, ...]) -> None:
        most = given[0].abs().float().flatten(0, -2).amax(0)
        largest[linear] = torch.maximum(largest.get(linear, most), most)

    hooks = [linears[0].register_forward_pre_hook(measure) for _, _, linears in groups]
    run()
    for hook in hooks:
        hook.remove()
    for owner, name, linears in groups:
        weights = torch.stack([linear.weight.abs().amax(0) for linear in linears]).amax(0)
        scale = largest[linears[0]].clamp(min=1e-5) ** SHARE / weights.clamp(min=1e-5) ** (1 - SHARE)
        scale = (scale / scale.mean()).clamp(min=LEAST)
        for linear in linears:
            linear.weight *= scale
        setattr(owner, name, Scaled(getattr(owner, name), scale))
