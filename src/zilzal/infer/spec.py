"""What a network is and how it is to be used; travels inside its ONNX file."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from operator import itemgetter
from pathlib import Path
from typing import Any, Literal, get_args

from zilzal.core.errors import SpecError
from zilzal.core.waveform import COMPONENTS
from zilzal.infer.metadata import read_metadata, write_metadata
from zilzal.signal.prepare import Preparation

METADATA_KEY = "zilzal.model_spec"
"""Name of the ONNX metadata property that holds the specification as JSON."""

Task = Literal["pick", "classify"]
Overlap = Literal["mean", "max", "context"]
Table = tuple[tuple[float, float], ...]
"""Pairs (x, y) with rising x, interpolated linearly and held beyond the ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """All that one must know to run a network rightly.

    Args:
        name: of the network, as "zilzal-small".
        version: of its weights.
        task: "pick" gives (batch, label, sample), "classify" (batch, label).
        sampling_rate: of its input; that of `preparation`.
        components: order of its input's component axis, of the letters ZNE.
        labels: of its output's label axis; a picker reads "P", "S" and "detection".
        window_samples: length of its input.
        hop_samples: from window to window.
        blind_samples: at either edge of a window, whose output is not used.
        overlap: how outputs of overlapping windows become one, see `overlap`.
        preparation: what is done to counts before.
        thresholds: on the network's output, by label.
        uncertainty: by phase, a table from calibrated probability to standard deviation [s].
        calibration: by label, a table from the network's output to a probability; empty for none.
        training_data: what it learned from.
        licence: of the weights, as an SPDX name.
        seed: of the training.
        commit: of the code that trained it.
        created: date, ISO 8601.
        card: for people, Markdown: what it is good and bad at.

    Raises:
        SpecError: fields are out of range or contradict each other.
    """

    name: str
    version: str
    task: Task
    sampling_rate: float
    components: str = COMPONENTS
    labels: tuple[str, ...]
    window_samples: int
    hop_samples: int
    blind_samples: int = 0
    overlap: Overlap = "mean"
    preparation: Preparation
    thresholds: Mapping[str, float] = field(default_factory=dict[str, float])
    uncertainty: Mapping[str, Table] = field(default_factory=dict[str, Table])
    calibration: Mapping[str, Table] = field(default_factory=dict[str, Table])
    training_data: str
    licence: str
    seed: int
    commit: str
    created: str
    card: str = ""

    def __post_init__(self) -> None:
        problems = [*_window_problems(self), *_label_problems(self)]
        if problems:
            raise SpecError(f"specification of {self.name!r}: " + "; ".join(problems))

    def calibrate(self, label: str, output: float) -> float:
        """Probability for a label's output at a peak; the output itself without a table."""
        table = self.calibration.get(label)
        return interpolate(table, output) if table else float(output)

    def uncertainty_s(self, phase: str, probability: float) -> float:
        """Standard deviation of a pick's time.

        Raises:
            SpecError: there is no table for the phase.
        """
        table = self.uncertainty.get(phase)
        if not table:
            raise SpecError(f"{self.name!r} has no uncertainty table for {phase!r}")
        return interpolate(table, probability)

    def to_json(self) -> str:
        """The specification as JSON, keys in the order of the fields."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> ModelSpec:
        """Read what `to_json` wrote.

        Raises:
            SpecError: it is not JSON, or fields are missing, unknown or out of range.
        """
        try:
            content = json.loads(text)
            preparation = Preparation(**content.pop("preparation"))
            tables = {
                name: {label: _table(pairs) for label, pairs in content.pop(name, {}).items()}
                for name in ("uncertainty", "calibration")
            }
            labels = tuple(content.pop("labels"))
            known = {f.name for f in fields(cls)}
            if unknown := set(content) - known:
                raise SpecError(f"unknown fields in a model specification: {sorted(unknown)}")
            return cls(labels=labels, preparation=preparation, **tables, **content)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise SpecError(f"not a model specification: {error}") from error


def read_spec(path: Path | str) -> ModelSpec:
    """The specification inside an ONNX file; the network itself is not loaded.

    Raises:
        SpecError: the file is no ONNX file, or has no valid specification.
    """
    return spec_of(Path(path).read_bytes(), str(path))


def spec_of(model_bytes: bytes, name: str = "the model") -> ModelSpec:
    """The specification inside an ONNX file's bytes; `name` is for the message.

    Raises:
        SpecError: the bytes are no ONNX file, or have no valid specification.
    """
    text = read_metadata(model_bytes).get(METADATA_KEY)
    if text is None:
        raise SpecError(
            f"{name} carries no {METADATA_KEY}, so nobody knows how to use it; "
            "export it with zilzal, or import it with `zilzal models import`"
        )
    return ModelSpec.from_json(text)


def attach_spec(model_bytes: bytes, spec: ModelSpec) -> bytes:
    """The ONNX file's bytes with the specification inside, replacing an earlier one."""
    return write_metadata(model_bytes, METADATA_KEY, spec.to_json())


def interpolate(table: Sequence[tuple[float, float]], at: float) -> float:
    """Value of a table of (x, y) at x; the end values beyond its ends."""
    above = bisect_right(table, at, key=itemgetter(0))
    if above in (0, len(table)):
        return float(table[max(above - 1, 0)][1])
    (x, y), (next_x, next_y) = table[above - 1 : above + 1]
    return (next_y - y) / (next_x - x) * (at - x) + y


def _table(pairs: Any) -> Table:
    return tuple((float(x), float(y)) for x, y in pairs)


def _window_problems(spec: ModelSpec) -> list[str]:
    problems: list[str] = []
    if spec.task not in get_args(Task):
        problems.append(f"task {spec.task!r} is none of {get_args(Task)}")
    if spec.overlap not in get_args(Overlap):
        problems.append(f"overlap {spec.overlap!r} is none of {get_args(Overlap)}")
    if sorted(spec.components) != sorted(COMPONENTS):
        problems.append(f"components {spec.components!r} are not an order of {COMPONENTS!r}")
    if spec.sampling_rate != spec.preparation.sampling_rate:
        problems.append(
            f"sampling_rate {spec.sampling_rate} differs from the preparation's "
            f"{spec.preparation.sampling_rate}"
        )
    valid = spec.window_samples - 2 * spec.blind_samples
    if spec.hop_samples < 1 or spec.blind_samples < 0 or valid < spec.hop_samples:
        problems.append(
            f"windows of {spec.window_samples} samples every {spec.hop_samples} with "
            f"{spec.blind_samples} blind at either edge leave samples without output"
        )
    return problems


def _label_problems(spec: ModelSpec) -> list[str]:
    problems: list[str] = []
    if not spec.labels or len(set(spec.labels)) != len(spec.labels):
        problems.append(f"labels {spec.labels} are empty or repeated")
    for name, threshold in spec.thresholds.items():
        if name not in spec.labels or not 0 < threshold <= 1:
            problems.append(f"threshold {name} = {threshold} has no label or is not in (0, 1]")
    for name, tables in (("uncertainty", spec.uncertainty), ("calibration", spec.calibration)):
        for label, table in tables.items():
            x = [pair[0] for pair in table]
            if label not in spec.labels or not table or x != sorted(set(x)):
                problems.append(f"{name} of {label!r} has no label, is empty or does not rise")
    return problems
