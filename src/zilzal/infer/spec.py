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
from zilzal.infer.gated import CELL
from zilzal.infer.metadata import read_metadata, write_metadata
from zilzal.signal.prepare import Preparation

METADATA_KEY = "zilzal.model_spec"
"""Name of the ONNX metadata property that holds the specification as JSON."""

Task = Literal["pick", "classify"]
Overlap = Literal["mean", "max", "context"]
Edges = Literal["padded", "flush", "whole"]
Peaks = Literal["separated", "excursions"]
FORMAT = 4
"""Of the specification's JSON; files of all earlier formats are read."""
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
        blind_end_samples: at the window's end, where that differs from its start.
        reach_samples: how far before and after a sample the network looks; a window then decides
            only what it sees in full, and neither its place nor its length changes anything.
            None where windows overlap in what they decide.
        gate: by label, from which output of its gate on the network is run at all, see `gated`;
            empty for a network without a gate.
        point_sample: the output is one value per label, for this sample of the window; None
            where it is a curve along the window.
        edges: of gap-free segments. "padded" windows reach beyond them, with zeros there; "flush"
            adds to the whole windows of the grid one that begins with the segment and one that
            ends with it; "whole" has the windows of the grid alone.
        overlap: how outputs of overlapping windows become one, see `overlap`.
        peaks: which samples of a curve are picks, see `pick.read`: "separated" the largest within
            some distance, "excursions" the largest of each excursion above the threshold.
        preparation: what is done to counts before.
        thresholds: on the network's output, by label.
        uncertainty: by phase, a table from calibrated probability to standard deviation [s].
        calibration: by label, a table from the network's output to a probability; empty for none.
        development_data: what thresholds and tables were chosen on; empty where they are only
            customary, not measured.
        training_data: what it learned from.
        citation: the paper to cite.
        licence: of the weights, as an SPDX name; NOASSERTION where nobody says.
        origin: where weights from elsewhere came from.
        weights_sha256: of the parameters that came from there; see `train.seisbench`.
        parameters: their number.
        multiply_adds: of one window, without the gate; None where nobody counted.
        gate_multiply_adds: of the gate on one window; None where there is none.
        bf16_difference: largest difference of an output in bf16 from f32, on records with
            arrivals; None where it was not measured.
        seed: of the training.
        commit: of the code that trained or imported it.
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
    blind_end_samples: int | None = None
    reach_samples: tuple[int, int] | None = None
    gate: Mapping[str, float] = field(default_factory=dict[str, float])
    point_sample: int | None = None
    edges: Edges = "padded"
    overlap: Overlap = "mean"
    peaks: Peaks = "separated"
    preparation: Preparation
    thresholds: Mapping[str, float] = field(default_factory=dict[str, float])
    uncertainty: Mapping[str, Table] = field(default_factory=dict[str, Table])
    calibration: Mapping[str, Table] = field(default_factory=dict[str, Table])
    development_data: str = ""
    training_data: str
    citation: str = ""
    licence: str
    origin: str = ""
    weights_sha256: str = ""
    parameters: int | None = None
    multiply_adds: int | None = None
    gate_multiply_adds: int | None = None
    bf16_difference: float | None = None
    seed: int
    commit: str
    created: str
    card: str = ""

    def __post_init__(self) -> None:
        problems = [*_window_problems(self), *_label_problems(self)]
        if problems:
            raise SpecError(f"specification of {self.name!r}: " + "; ".join(problems))

    @property
    def blinding(self) -> tuple[int, int]:
        """Samples at a window's start and end for which it has no output."""
        if self.point_sample is not None:
            return self.point_sample, self.window_samples - 1 - self.point_sample
        end = self.blind_end_samples
        return self.blind_samples, self.blind_samples if end is None else end

    @property
    def undecided(self) -> tuple[int, int]:
        """Samples at a window's start and end that it decides nothing of, within a segment."""
        return self.reach_samples or self.blinding

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Of one window: (label, sample), or (label) where there is one value for each."""
        if self.task == "classify" or self.point_sample is not None:
            return (len(self.labels),)
        return len(self.labels), self.window_samples

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
        return json.dumps({"format": FORMAT, **asdict(self)}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> ModelSpec:
        """Read what `to_json` wrote.

        Raises:
            SpecError: it is not JSON, of a later format than this version knows, or fields are
                missing, unknown or out of range.
        """
        try:
            content = json.loads(text)
            if (written := content.pop("format", 1)) > FORMAT:
                raise SpecError(
                    f"a model specification of format {written}, and this version of zilzal "
                    f"reads up to {FORMAT}: upgrade it"
                )
            preparation = Preparation(**content.pop("preparation"))
            tables = {
                name: {label: _table(pairs) for label, pairs in content.pop(name, {}).items()}
                for name in ("uncertainty", "calibration")
            }
            labels = tuple(content.pop("labels"))
            if (reach := content.pop("reach_samples", None)) is not None:
                content["reach_samples"] = int(reach[0]), int(reach[1])
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
    for name, choices in (("task", Task), ("overlap", Overlap), ("edges", Edges), ("peaks", Peaks)):
        if (value := getattr(spec, name)) not in get_args(choices):
            problems.append(f"{name} {value!r} is none of {get_args(choices)}")
    if sorted(spec.components) != sorted(COMPONENTS):
        problems.append(f"components {spec.components!r} are not an order of {COMPONENTS!r}")
    if spec.sampling_rate != spec.preparation.sampling_rate:
        problems.append(
            f"sampling_rate {spec.sampling_rate} differs from the preparation's "
            f"{spec.preparation.sampling_rate}"
        )
    if spec.reach_samples is not None:
        problems += _reach_problems(spec, spec.reach_samples)
    return problems + (_point_problems(spec) if spec.point_sample is not None else _holes(spec))


def _holes(spec: ModelSpec) -> list[str]:
    before, after = spec.blinding
    valid = spec.window_samples - before - after
    if spec.hop_samples < 1 or min(before, after) < 0 or valid < spec.hop_samples:
        return [
            f"windows of {spec.window_samples} samples every {spec.hop_samples} with {before} "
            f"blind at the start and {after} at the end leave samples without output"
        ]
    return []


def _reach_problems(spec: ModelSpec, reach: tuple[int, int]) -> list[str]:
    problems: list[str] = []
    if spec.hop_samples != spec.window_samples - sum(reach) or not all(
        0 <= blind <= far for blind, far in zip(spec.blinding, reach, strict=True)
    ):
        problems.append(
            f"windows of {spec.window_samples} samples that decide all but reach_samples = {reach} "
            f"must come every {spec.window_samples - sum(reach)}, not {spec.hop_samples}, and "
            f"reach no less far than the blind {spec.blinding}"
        )
    along = spec.preparation.normalisation == "running" and spec.point_sample is None
    if spec.edges != "padded" or not along:
        problems.append(
            f"with reach_samples edges must be 'padded', not {spec.edges!r}, normalisation "
            f"'running', not {spec.preparation.normalisation!r}, and the output a curve"
        )
    return problems


def _point_problems(spec: ModelSpec) -> list[str]:
    problems: list[str] = []
    if spec.hop_samples < 1 or min(spec.blinding) < 0:
        problems.append(
            f"point_sample {spec.point_sample} is not one of {spec.window_samples}, or "
            f"hop_samples = {spec.hop_samples} is below 1"
        )
    if spec.edges != "whole" or spec.overlap != "mean":
        problems.append(
            f"with one value per window edges must be 'whole' and overlap 'mean', "
            f"not {spec.edges!r} and {spec.overlap!r}"
        )
    return problems


def _label_problems(spec: ModelSpec) -> list[str]:
    problems: list[str] = []
    if not spec.labels or len(set(spec.labels)) != len(spec.labels):
        problems.append(f"labels {spec.labels} are empty or repeated")
    for name, threshold in spec.thresholds.items():
        if name not in spec.labels or not 0 < threshold <= 1:
            problems.append(f"threshold {name} = {threshold} has no label or is not in (0, 1]")
    if spec.gate:
        problems += _gate_problems(spec)
    for name, tables in (("uncertainty", spec.uncertainty), ("calibration", spec.calibration)):
        for label, table in tables.items():
            x = [pair[0] for pair in table]
            if label not in spec.labels or not table or x != sorted(set(x)):
                problems.append(f"{name} of {label!r} has no label, is empty or does not rise")
    return problems


def _gate_problems(spec: ModelSpec) -> list[str]:
    problems = [
        f"gate {name} = {threshold} has no label or is not in (0, 1]"
        for name, threshold in spec.gate.items()
        if name not in spec.labels or not 0 < threshold <= 1
    ]
    if spec.reach_samples is None:
        return [*problems, "with a gate reach_samples must be given"]
    lengths = (spec.window_samples, spec.hop_samples, *spec.reach_samples)
    if any(length % CELL for length in lengths):
        problems.append(
            f"with a gate window_samples, hop_samples and reach_samples, {lengths}, must be "
            f"multiples of {CELL}"
        )
    return problems
