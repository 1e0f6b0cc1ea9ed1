"""Training on a GPU: windows stay in its memory, and a step is recorded once and then replayed.

A step of these small networks is some hundred kernels of a few microseconds each; started one
by one from Python, the GPU would wait most of the time. Products are made in TF32, as PyTorch's
convolutions are unless told otherwise; bf16 is no quicker here, since most kernels move memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Int64

from zilzal.core.arrays import Array
from zilzal.core.errors import ConfigError
from zilzal.train.loop import PARTS, Batch, average, keep_at, order_of, rate_at, whole_loss
from zilzal.train.options import PickerTraining
from zilzal.train.pool import Pool, Take, untouched

if TYPE_CHECKING:
    from zilzal.train.loop import State

_SPARE = 0.6
"""Share of the free memory that windows may take."""

_WARMING = 3
"""Steps before one is recorded, in which libraries choose their kernels."""


class Resident:
    """Pools in a device's memory: all of them where they fit, else the last that were shown.

    Args:
        first: a pool, for the shapes.
        pools: how many different ones there are.
        device: of PyTorch.

    Raises:
        ConfigError: not even one fits.
    """

    def __init__(self, first: Pool, pools: int, device: torch.device) -> None:
        self.windows, self.length = len(first), first.samples.shape[2]
        arrays = {name: getattr(first, name) for name in PARTS}
        self._numbers: list[int | None] = [None] * min(pools, _fitting(first, device))
        self._sources: list[Array] = [first.sources] * len(self._numbers)
        self.arrays = {
            name: torch.empty(
                (len(self._numbers) * self.windows, *array.shape[1:]),
                dtype=torch.from_numpy(array[:1]).dtype, device=device,
            )
            for name, array in arrays.items()
        }  # fmt: skip

    def rows_of(self, number: int, take: Take, without: Sequence[str]) -> Int64[Array, " row"]:
        """Rows of a pool's windows, brought here where they are not yet.

        Args:
            number: of the pool.
            take: gives it.
            without: sets that may have no part in them.
        """
        slot = number % len(self._numbers)
        first = slot * self.windows
        if self._numbers[slot] != number:
            pool = take(number)
            for name, held in self.arrays.items():
                held[first : first + len(pool)].copy_(torch.from_numpy(getattr(pool, name)))
            self._numbers[slot], self._sources[slot] = number, pool.sources
        return first + np.flatnonzero(untouched(self._sources[slot], without))

    def crops(self, rows: torch.Tensor, offsets: torch.Tensor, length: int) -> Batch:
        """Crops of some windows.

        Args:
            rows: of the windows.
            offsets: where in a window its crop begins.
            length: of a crop.
        """
        columns = offsets[:, None, None] + torch.arange(length, device=rows.device)
        samples, *curves = (
            held[rows[:, None, None], _lines(held), columns].float()
            for held in self.arrays.values()
        )
        return samples, *(curve / 255 for curve in curves)


def _lines(held: torch.Tensor) -> torch.Tensor:
    return torch.arange(held.shape[1], device=held.device)[None, :, None]


def _fitting(pool: Pool, device: torch.device) -> int:
    """How many pools of this size a device has room for."""
    if device.type == "cpu":
        return 1
    n_bytes = sum(getattr(pool, name).nbytes for name in PARTS)
    fitting = int(_SPARE * torch.cuda.mem_get_info(device)[0] / n_bytes)
    if fitting < 1:
        raise ConfigError(
            f"a pool of {len(pool)} windows takes {n_bytes / 1e6:.0f} MB, more than {device} can "
            "spare; give fewer windows, or the device cpu"
        )
    return fitting


class RecordedRounds:
    """Rounds whose steps run without Python in between; `learn_round` on a GPU, with AdamW.

    Args:
        state: of the training, on its device.
        training: options.
        take: gives the pools.

    On the CPU nothing is recorded and each step is taken as it stands, which is slower than
    `learn_round` and serves to compare the two.
    """

    def __init__(self, state: State, training: PickerTraining, take: Take) -> None:
        self.state, self.training, self.take = state, training, take
        self.device = torch.device(training.device)
        self.resident = Resident(take(0), training.pools, self.device)
        most = training.passes * (self.resident.windows // training.batch)
        self.rows = torch.zeros((most, training.batch), dtype=torch.int64, device=self.device)
        self.offsets = torch.zeros_like(self.rows)
        self.rates, self.keeps = (torch.zeros(most, device=self.device) for _ in range(2))
        self.place = torch.zeros(1, dtype=torch.int64, device=self.device)
        self.loss = torch.zeros((), device=self.device)
        self.rate = torch.zeros((), device=self.device)
        for group in state.optimiser.param_groups:
            group["lr"], group["capturable"] = self.rate, self.device.type != "cpu"
        self.stream = torch.cuda.Stream(self.device) if self.device.type != "cpu" else None
        self.graph = None if self.stream is None else self._record(self.stream)

    def __call__(self, number: int, rng: np.random.Generator) -> float:
        """Show the pool of a round; the mean loss."""
        with torch.cuda.stream(self.stream):
            steps = self._plan(number, rng)
            for _ in range(steps):
                if self.graph is None:
                    self._step()
                else:
                    self.graph.replay()
            self.state.steps_done += steps
            return float(self.loss) / steps

    def _plan(self, number: int, rng: np.random.Generator) -> int:
        """Tell the device all that the steps of a round need; how many they are."""
        training, state = self.training, self.state
        rows = self.resident.rows_of(number % training.pools, self.take, training.without)
        slack = self.resident.length - training.crop
        steps = list(order_of(len(rows), training, slack, rng))
        planned = (
            (self.rows, [rows[chosen] for chosen, _ in steps]),
            (self.offsets, [offsets for _, offsets in steps]),
            (self.rates, [rate_at(training, state.rounds_done + done / len(steps))
                          for done in range(len(steps))]),
            (self.keeps, [keep_at(training, state.steps_done + 1 + done)
                          for done in range(len(steps))]),
        )  # fmt: skip
        for held, values in planned:
            held[: len(steps)].copy_(torch.from_numpy(np.asarray(values)))
        self.place.zero_()
        self.loss.zero_()
        return len(steps)

    def _step(self) -> None:
        """One step, of which nothing depends on a value that Python knows."""
        rows, offsets = (part.index_select(0, self.place)[0] for part in (self.rows, self.offsets))
        samples, *curves = self.resident.crops(rows, offsets, self.training.crop)
        self.rate.copy_(self.rates.index_select(0, self.place)[0])
        self.state.optimiser.zero_grad()
        loss = whole_loss(self.state.network(samples), *curves, training=self.training)
        loss.backward()
        self._bound()
        self.state.optimiser.step()
        keep = self.keeps.index_select(0, self.place)[0]
        average(self.state.averaged, self.state.network, keep)
        self.loss.add_(loss.detach())
        self.place.add_(1)

    def _bound(self) -> None:
        training, moving = self.training, list(self.state.network.parameters())
        if training.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(moving, training.clip_norm)
        elif training.clip_value is not None:
            torch.nn.utils.clip_grad_value_(moving, training.clip_value)

    def _record(self, stream: torch.cuda.Stream) -> torch.cuda.CUDAGraph:
        """Take some steps, record one, and put everything back as it was."""
        kept = [(value, value.detach().clone()) for value in self._changing()]
        before = {id(value) for value, _ in kept}
        stream.wait_stream(torch.cuda.current_stream(self.device))
        with torch.cuda.stream(stream):
            for _ in range(_WARMING):
                self.place.zero_()
                self._step()
        torch.cuda.synchronize(self.device)
        graph = torch.cuda.CUDAGraph()
        self.state.optimiser.zero_grad()
        with torch.cuda.graph(graph, stream=stream):
            self._step()
        with torch.no_grad():
            for value, was in kept:
                value.copy_(was)
            for value in self._changing():
                if id(value) not in before:
                    value.zero_()
        torch.cuda.synchronize(self.device)
        return graph

    def _changing(self) -> Iterator[torch.Tensor]:
        """Weights, their statistics and means, and the optimiser's memory."""
        yield from self.state.network.state_dict(keep_vars=True).values()
        yield from self.state.averaged.state_dict(keep_vars=True).values()
        for memory in self.state.optimiser.state.values():
            yield from memory.values()
