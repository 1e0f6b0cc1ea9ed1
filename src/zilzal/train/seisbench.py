"""SeisBench's pickers as our files: the same network, the same windows, the same picks.

`import_seisbench` takes any object of SeisBench whose way of working is known here: how it
prepares a window and what becomes of its output are read off its class, all else off the object.
What comes out is compared with the object before it is handed over. SeisBench itself is not
imported: who has an object has it; `train.zoo` makes objects from names and files.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

import zilzal
from zilzal.core.errors import ModelError
from zilzal.core.waveform import COMPONENTS
from zilzal.infer.engine import build_model
from zilzal.infer.precision import bf16_difference
from zilzal.infer.spec import ModelSpec, Overlap, Table, attach_spec
from zilzal.pick.read import MOTIONS
from zilzal.synth.trial import trial_windows
from zilzal.train.export import export
from zilzal.train.lowering import lowered
from zilzal.train.seisbench_card import write_card
from zilzal.train.seisbench_family import blinding_of, preparation_of, refuse_unknown_stream

UNCERTAINTY: Mapping[str, Table] = {
    "P": ((0.1, 0.15), (0.5, 0.06), (0.9, 0.03)),
    "S": ((0.1, 0.20), (0.5, 0.09), (0.9, 0.04)),
}
"""Customary, until `zilzal models calibrate` measures: half widths that hold 68 % of the residuals
of published weights of PhaseNet and EQTransformer against analysts' picks, by their outputs."""
_LABELS = {
    "N": "noise",
    "Detection": "detection",
    "Polarity_U": "positive",
    "Polarity_D": "negative",
}
_ALIKE = {"1": "N", "2": "E"}
"""Horizontals of unknown azimuth, which SeisBench takes for N and E."""
_STACKING: Mapping[str, Overlap] = {"avg": "mean", "max": "max"}
_ROUNDING = 1e-4
"""Largest difference of an output from the object's that can be rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What to write into the file that the object itself does not know.

    Args:
        name: of the network, as "phasenet-original"; from its class where empty.
        version: of the weights; what SeisBench says where empty.
        origin: where they came from.
        training_data: what they learned from; the weights' description where empty.
        licence: of the weights, as an SPDX name.
        annotate: arguments of SeisBench's `annotate` and `classify` that go before the object's
            own: overlap, blinding, stacking, stride, P_threshold and the like.
    """

    name: str = ""
    version: str = ""
    origin: str = ""
    training_data: str = ""
    licence: str = "NOASSERTION"
    annotate: Mapping[str, Any] = field(default_factory=dict[str, Any])


def import_seisbench(model: Any, about: About | None = None) -> bytes:
    """An ONNX file with its specification, from an object of SeisBench's.

    Args:
        model: a picker with its weights: PhaseNet, EQTransformer and their relatives, GPD,
            BasicPhaseAE, Skynet, EQCCTP or EQCCTS.
        about: what to write into the file besides.

    Raises:
        ModelError: it is of another kind, does what cannot be done along a stream, or has no P
            or S among its labels.
        SpecError: its arguments contradict each other, as an overlap too small for its blinding.
    """
    _refuse_kind(model)
    model = copy.deepcopy(model).cpu().eval()
    spec = _spec_of(model, about or About())
    network = _Network(lowered(model), _rows(model, spec))
    example = torch.zeros(2, len(spec.components), spec.window_samples)
    graph = export(network.eval(), example, {0: torch.export.Dim("batch", min=1, max=4096)})
    _refuse_difference(model, attach_spec(graph, spec))
    difference = bf16_difference(attach_spec(graph, spec), trial_windows())
    spec = replace(spec, multiply_adds=_multiply_adds(model), bf16_difference=difference)
    return attach_spec(graph, replace(spec, card=write_card(model, spec)))


class _Network(nn.Module):
    """One output (batch, label, sample) or (batch, label) from components in our order.

    Args:
        network: SeisBench's.
        rows: for each of its components, ours; None for one that we do not have, which is 0.
            Empty where its components are ours.
    """

    def __init__(self, network: nn.Module, rows: tuple[int | None, ...]) -> None:
        super().__init__()
        self.network, self.rows = network, rows

    def forward(self, samples: Tensor) -> Tensor:
        if self.rows:
            absent = torch.zeros_like(samples[:, :1])
            rows = [absent if n is None else samples[:, n : n + 1] for n in self.rows]
            samples = torch.cat(rows, dim=1)
        output = self.network(samples)
        return torch.stack(output, dim=1) if isinstance(output, tuple) else output


def _spec_of(model: Any, about: About) -> ModelSpec:
    def argument(name: str, otherwise: Any) -> Any:
        """Of `annotate`: what was given, the weights' own, the class's, in this order."""
        usual = type(model)._annotate_args.get(name, ("", otherwise))[1]  # noqa: SLF001
        return {name: usual, **model.default_args, **about.annotate}[name]

    labels = tuple(_LABELS.get(str(label), str(label)) for label in model.labels)
    read = {"P": "P", "S": "S", "detection": "detection"} | dict.fromkeys(MOTIONS, "polarity")
    thresholds = {
        label: float(argument(f"{read[label]}_threshold", argument("*_threshold", 0.3)))
        for label in labels
        if label in read
    }
    before, after = blinding_of(model, argument)
    is_point = model.output_type == "point"
    return ModelSpec(
        name=about.name or type(model).__name__.lower(),
        version=about.version or str(model.weights_version or ""),
        task="pick",
        sampling_rate=float(model.sampling_rate),
        components=_components(model),
        labels=labels,
        window_samples=int(model.in_samples),
        hop_samples=_hop(model, argument),
        blind_samples=0 if is_point else before,
        blind_end_samples=None if is_point or before == after else after,
        point_sample=int(model.pred_sample) if is_point else None,
        edges="whole" if is_point else "flush",
        overlap="mean" if is_point else _STACKING[str(argument("stacking", "avg")).lower()],
        peaks="excursions",
        preparation=preparation_of(model),
        thresholds=thresholds,
        uncertainty={phase: UNCERTAINTY[phase] for phase in ("P", "S") if phase in labels},
        training_data=about.training_data or (model.weights_docstring or "").strip() or "not told",
        citation=model.citation or "",
        licence=about.licence,
        origin=about.origin or f"an object of SeisBench's {type(model).__name__}",
        weights_sha256=weights_sha256(model.state_dict()),
        parameters=sum(p.numel() for p in model.parameters()),
        seed=0,
        commit=f"imported by zilzal {zilzal.__version__}",
        created=datetime.now(UTC).date().isoformat(),
    )


def weights_sha256(state: Mapping[str, Tensor]) -> str:
    """Hash of all parameters, in order of their names."""
    digest = hashlib.sha256()
    for name in sorted(state):
        values = state[name].detach().cpu().numpy()
        digest.update(f"{name} {values.dtype} {values.shape}".encode())
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


def _refuse_kind(model: Any) -> None:
    refuse_unknown_stream(model)
    name, labels = type(model).__name__, model.labels
    if model._grouping.grouping != "instrument":  # noqa: SLF001  it has no public name
        raise ModelError(f"{name} does not take the components of one sensor together")
    if model.output_type not in ("array", "point"):
        raise ModelError(f"{name} gives {model.output_type!r}, no curve or class of a window")
    curve = (0, model.in_samples)
    if model.output_type == "array" and tuple(model.pred_sample) != curve:
        raise ModelError(f"{name} gives samples {model.pred_sample}, not those of its window")
    if model.sampling_rate is None:
        raise ModelError(f"{name} has no sampling rate; make it with sampling_rate=...")
    if callable(labels) or labels is None or not {"P", "S"} & {str(label) for label in labels}:
        raise ModelError(
            f"{name} has the labels {labels!r}: neither P nor S. Make it with those of its "
            'outputs in order, as phases="PSN"'
        )
    if str(model.default_args.get("stacking", "avg")).lower() not in _STACKING:
        raise ModelError(f"stacking {model.default_args['stacking']!r} is not avg or max")


def _hop(model: Any, argument: Any) -> int:
    if model.output_type == "point":
        return int(argument("stride", 1))
    overlap = argument("overlap", 0)
    return model.in_samples - int(overlap * model.in_samples if overlap < 1 else overlap)


def _components(model: Any) -> str:
    """The object's order of components where it has ours, else ours."""
    order = _alike(model)
    return order if sorted(order) == sorted(COMPONENTS) else COMPONENTS


def _rows(model: Any, spec: ModelSpec) -> tuple[int | None, ...]:
    order = _alike(model)
    if order == spec.components:
        return ()
    return tuple(COMPONENTS.index(c) if c in COMPONENTS else None for c in order)


def _alike(model: Any) -> str:
    return "".join(_ALIKE.get(c, c) for c in model.component_order or COMPONENTS)


def _multiply_adds(model: Any) -> int:
    """Of one window, by PyTorch's own count."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, len(_alike(model)), model.in_samples))
    return counter.get_total_flops() // 2


def _refuse_difference(model: Any, content: bytes) -> None:
    """Compare with the object itself on windows of noise, a burst and a drift."""
    ours = build_model(content)
    length = ours.spec.window_samples
    rng = np.random.default_rng(0)
    windows = 300 * rng.standard_normal((3, len(COMPONENTS), length))
    windows[:, :, length // 2 :] *= np.exp(-np.arange(length - length // 2) / 100) * 30 + 1
    windows = (windows + np.linspace(0, 500, length)).astype(np.float32)
    said = ours.predict(list(windows), list(np.ones(windows.shape, bool)))
    absent = np.zeros_like(windows[:, 0])
    entering = [
        windows[:, COMPONENTS.index(c)] if c in COMPONENTS else absent for c in _alike(model)
    ]
    with torch.no_grad():
        batch = torch.from_numpy(np.stack(entering, axis=1))
        expected = _Network(model, ())(model.annotate_batch_pre(batch, dict(model.default_args)))
    off = float(np.abs(said - expected.numpy()).max())
    if not off <= _ROUNDING:
        raise ModelError(
            f"outputs differ by up to {off:.2g} from those of the {type(model).__name__} given, "
            f"more than {_ROUNDING:g}: it works in another way than its class did in SeisBench "
            "0.12; please report it with the object's get_model_args()"
        )
