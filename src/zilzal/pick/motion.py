"""First motions, told by a small network from the vertical around a P pick.

The rule in `signal.onset` takes the first swing after the pick that stands out of the noise. Where
the pick is late or noise is strong that is often the second swing, which goes the other way. The
network has seen such records and says how sure it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Float32, Float64

from zilzal.core.arrays import Array
from zilzal.core.errors import FormatError, ModelError, SpecError
from zilzal.core.pick import Polarity
from zilzal.learn.files import Model, load_model
from zilzal.learn.layers import sigmoid
from zilzal.signal.resample import Ratio, finish_resampler, start_resampler, step_resampler

SAMPLING_RATE = 100.0
"""Of what the network sees."""
LEAST_RATE = 30.0
"""Records of a lower rate are not looked at: the network has seen none."""
BEFORE, AFTER = 40, 40
"""Samples before and from the pick on that the network sees."""
NOISE = (200, 15)
"""Noise is measured from so many samples before the pick to so many: picks may be late."""
RULE = "rule"
"""The setting by which no network reads first motions."""
_TASK = "first motion"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MotionReader:
    """A network that reads first motions, and how sure it must be.

    Args:
        model: of `zilzal.learn`, from a window to one logit.
        probability: from which a motion is told; below, it is undecidable.
    """

    model: Model
    probability: float = 0.8

    def read(self, filtered: Float[Array, " sample"], onset: int, sampling_rate: float) -> Polarity:
        """The first motion at a pick.

        Args:
            filtered: of the vertical, up positive, high-passed causally at 1 Hz, two poles; from
                2 s before to 0.4 s after the onset at least.
            onset: index of the pick.
            sampling_rate: of the samples.
        """
        window = at_pick(filtered, onset, sampling_rate)
        seen = None if window is None else seen_of(window[np.newaxis])
        if seen is None:
            return Polarity.UNDECIDABLE
        up = float(probability_up(self.model, seen)[0])
        if max(up, 1 - up) < self.probability:
            return Polarity.UNDECIDABLE
        return Polarity.POSITIVE if up > 0.5 else Polarity.NEGATIVE


def probability_up(model: Model, seen: Float32[Array, "pick sample"]) -> Float64[Array, " pick"]:
    """Probability that the first motion is up.

    Half the difference of the logits of a window and of its mirror image: a record turned upside
    down gets the opposite answer, exactly.
    """
    logits = model.network.forward(model.parameters, np.concatenate((seen, -seen)))[:, 0]
    n_picks = len(seen)
    return sigmoid((logits[:n_picks].astype(np.float64) - logits[n_picks:]) / 2)


def seen_of(windows: Float[Array, "pick sample"]) -> Float32[Array, "pick {BEFORE+AFTER}"] | None:
    """What the network sees: in units of twice the noise, large values to their logarithm.

    Args:
        windows: from `NOISE[0]` samples before the pick to `AFTER` after it.

    Returns:
        None where a window has no noise at all, hence no unit.
    """
    noise = windows[:, : NOISE[0] - NOISE[1]].astype(np.float64)
    unit = 2 * np.sqrt(np.square(noise).mean(axis=1, keepdims=True))
    if not unit.all():
        return None
    return np.arcsinh(windows[:, NOISE[0] - BEFORE :] / unit).astype(np.float32)


def at_pick(
    filtered: Float[Array, " sample"], onset: int, sampling_rate: float
) -> Float[Array, " sample"] | None:
    """The samples at the network's rate around a pick; None where there are too few."""
    if sampling_rate < LEAST_RATE:
        return None
    ratio = Ratio.between(sampling_rate, SAMPLING_RATE)
    margin = 0 if ratio.is_one else ratio.half // ratio.up + 1
    first = onset - -(-NOISE[0] * ratio.down // ratio.up) - margin
    end = onset + -(-AFTER * ratio.down // ratio.up) + margin
    if first + margin < 0 or end - margin > len(filtered):
        return None
    piece = filtered[max(first, 0) : end]
    if ratio.is_one:
        return piece
    return _resampled(piece, ratio, max(first, 0) - onset)


def _resampled(
    piece: Float[Array, " sample"], ratio: Ratio, first_number: int
) -> Float[Array, " sample"]:
    """From `NOISE[0]` samples before the input's sample 0 to `AFTER` after it."""
    state = start_resampler(ratio, first_number, 1)
    begin = state.next_output
    present: Bool[Array, "1 sample"] = np.ones((1, len(piece)), bool)
    state, early, _ = step_resampler(ratio, state, piece[np.newaxis], present)
    late, _ = finish_resampler(ratio, state)
    whole = np.concatenate((early[0], late[0]))
    return whole[-NOISE[0] - begin : AFTER - begin]


def motion_reader(name: str, probability: float) -> MotionReader | None:
    """Reads first motions with a network, by its name or path; None for the rule.

    Raises:
        ModelError: there is no such network.
        SpecError: the file is of another kind.
    """
    if name == RULE:
        return None
    return MotionReader(model=find_motion_model(name), probability=probability)


@cache
def network_folder() -> Path:
    """Where the package keeps its networks for first motions."""
    return Path(str(files("zilzal.pick"))) / "networks"


def find_motion_model(name_or_path: str) -> Model:
    """A network for first motions, by its path or the name of a packaged one; read once.

    Raises:
        ModelError: it is neither.
        SpecError: the file is of another kind.
    """
    path = Path(name_or_path)
    if not path.is_file():
        path = network_folder() / f"{name_or_path}.npz"
    if not path.is_file():
        known = sorted(path.stem for path in network_folder().glob("*.npz"))
        raise ModelError(
            f"no network {name_or_path!r} for first motions: neither a file nor one of the "
            f"packaged {known}"
        )
    return _read_once(path.absolute(), path.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _read_once(path: Path, changed_ns: int) -> Model:  # noqa: ARG001 - part of the key
    try:
        model = load_model(path)
    except FormatError as error:
        raise SpecError(f"{path} is not a network for first motions: {error}") from error
    shape = (model.network.inputs, model.network.outputs)
    if model.notes.get("task") != _TASK or shape != (BEFORE + AFTER, 1):
        raise SpecError(
            f"{path} is not a network for first motions: its task is "
            f"{model.notes.get('task')!r}, and {shape[0]} samples make {shape[1]} numbers"
        )
    return model
