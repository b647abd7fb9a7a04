"""How the small networks of traits and links are fitted: the same steps, and the same line an epoch."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

WARMING = 200  # steps until the rate is whole

Item = TypeVar("Item")
Net = TypeVar("Net", bound=nn.Module)


@dataclass(frozen=True, slots=True)
class Fitting:
    """How often and how fast a network learns."""

    epochs: int
    rate: float
    batch: int
    memory: float  # of the running average of weights that is kept in the end
    seed: int = 0


def fit_network(
    network: Net,
    items: Sequence[Item],
    loss_of: Callable[[nn.Module, Sequence[Item]], Tensor],
    how: Fitting,
    dev: Sequence[Item] = (),
) -> Net:
    """The network with the weights that fit the items best, on average over its last steps. Prints a line an epoch.

    Args:
        network: made after `torch.manual_seed(how.seed)`, for the same weights each time.
        items: what is learned from, `how.batch` at a time.
        loss_of: the loss of some of them.
        how: see `Fitting`.
        dev: items whose loss is told as well.
    """
    chance = random.Random(how.seed)
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(how.memory))
    optimizer = torch.optim.AdamW(network.parameters(), lr=how.rate, weight_decay=0.02)
    order, done = list(items), 0
    steps = how.epochs * -(-len(order) // how.batch)
    began = time.monotonic()
    for epoch in range(how.epochs):
        chance.shuffle(order)
        network.train()
        total = 0.0
        for at in range(0, len(order), how.batch):
            for group in optimizer.param_groups:
                group["lr"] = how.rate * min(1.0, done / WARMING) * (1 - 0.97 * done / steps)
            loss = loss_of(network, order[at : at + how.batch])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            average.update_parameters(network)
            total += loss.item()
            done += 1
        held = average.module.eval()
        with torch.no_grad():
            said = sum(loss_of(held, [one]).item() for one in dev) / max(len(dev), 1)
        print(
            f"epoch {epoch} loss {total * how.batch / len(order):.4f} dev {said:.4f} {time.monotonic() - began:.0f} s",
            flush=True,
        )
    return average.module.eval()  # type: ignore[no-any-return]
