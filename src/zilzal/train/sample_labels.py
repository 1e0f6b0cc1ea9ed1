"""The exercise's perceptron that labels each sample of a minute: detection and picking.

A window of 6000 samples goes in, 6000 probabilities come out: inside an event or not (19), or how
near an arrival is (20). Trained by `zilzal.learn`, to be compared with a convolutional network.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32

from zilzal.core.arrays import Array
from zilzal.learn.files import Model
from zilzal.signal.filter import highpass, start_filter, step_filter
from zilzal.train.dataset import Record
from zilzal.train.labels import LABELS, target_curves
from zilzal.train.mixture import Cut, cut_out, tapered
from zilzal.train.skill import Outputs

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleTraining:
    """How the exercise's network is trained; the defaults are the exercise's.

    Args:
        label: "P", "S" or "detection".
        hidden: units of each hidden layer.
        epochs: passes over the windows.
        rate: Adam's step length.
        batch_size: of mini-batches.
        draws: windows drawn of each record, with the P at another place each time.
        validation_fraction: of the windows, the last ones: others than those learnt, but not of
            other events unless the records come in order of event.
        highpass_hz: corner, so that microseism does not drown the rest.
        length: samples of a window.
        sampling_rate: of the windows.
        seed: of everything.
    """

    label: str = "detection"
    hidden: tuple[int, ...] = (32, 64, 128)
    epochs: int = 100
    rate: float = 1e-3
    batch_size: int = 8
    draws: int = 1
    validation_fraction: float = 0.1
    highpass_hz: float = 1.0
    length: int = 6000
    sampling_rate: float = 100.0
    seed: int = 222

    def __post_init__(self) -> None:
        if self.label not in LABELS:
            raise ValueError(f"unknown label {self.label!r}; choose one of {LABELS}")


def network_input(
    training: SampleTraining,
    samples: Float32[Array, "component sample"],
    present: Bool[Array, "component sample"],
) -> Float32[Array, " sample"]:
    """The first component that moves, high-passed, over its standard deviation; zeros if none."""
    alive = [row for row in range(len(samples)) if samples[row][present[row]].any()]
    if not alive:
        return np.zeros(training.length, np.float32)
    sections = highpass(training.highpass_hz, order=2, sampling_rate=training.sampling_rate)
    chosen = samples[alive[:1]].astype(np.float64)
    _, filtered = step_filter(sections, start_filter(sections, 1), chosen)
    return (filtered[0] / max(float(filtered[0].std()), 1e-12)).astype(np.float32)


def draw_cut(training: SampleTraining, record: Record, rng: np.random.Generator) -> Cut:
    """A window with the first arrival anywhere but within 3 s of its ends; noise anywhere."""
    margin = round(3 * training.sampling_rate)
    if record.onsets:
        place = int(rng.integers(margin, training.length - margin))
        first = int(record.onsets[0].sample) - place
    else:
        first = int(rng.integers(0, max(1, record.length - training.length + 1)))
    return tapered(cut_out(record, first, training.length))


def sample_windows(
    training: SampleTraining, records: Sequence[Record], rng: np.random.Generator
) -> tuple[Float32[Array, "window sample"], Float32[Array, "window sample"]]:
    """Inputs and labels of random windows of all records in which the label is known."""
    row = LABELS.index(training.label)
    inputs, targets = [], []
    for record in records:
        for _ in range(training.draws):
            cut = draw_cut(training, record, rng)
            curves, weights = target_curves(
                training.length, cut.onsets, cut.unknown, cut.codas,
                sampling_rate=training.sampling_rate,
            )  # fmt: skip
            is_known = record.kind == "noise" or curves[row].any()
            if is_known and weights[row][cut.recorded].all():
                inputs.append(network_input(training, cut.samples, cut.present))
                targets.append(curves[row])
    return np.stack(inputs), np.stack(targets)


def train_labeller(
    training: SampleTraining, records: Sequence[Record]
) -> tuple[Model, list[tuple[float, float]]]:
    """The network with its loss on windows learnt and on windows held out, epoch by epoch.

    The result is that of the lowest held-out loss.
    """
    from zilzal.learn.estimators import MLPLabeller

    x, y = sample_windows(training, records, np.random.default_rng(training.seed))
    n_learnt = len(x) - round(training.validation_fraction * len(x))
    estimator = MLPLabeller(
        training.hidden,
        rule="adam",
        length=training.rate,
        batch_size=training.batch_size,
        epochs=training.epochs,
        random_state=training.seed,
    )
    held_out = None if n_learnt == len(x) else (x[n_learnt:], y[n_learnt:])
    estimator.fit(x[:n_learnt], y[:n_learnt], validation=held_out)
    curve = [
        (epoch.loss, float("nan") if epoch.validation_loss is None else epoch.validation_loss)
        for epoch in estimator.history_
    ]
    logger.info("%s: %d windows, loss %.4f, held out %.4f", training.label, len(x), *curve[-1])
    return estimator.to_model({"label": training.label, "name": "sample labels"}), curve


def labelling(training: SampleTraining, models: Mapping[str, Model]) -> Outputs:
    """Curves in the order of `LABELS`, zero for a label without a network."""

    def outputs(
        samples: Float32[Array, "component sample"], present: Bool[Array, "component sample"]
    ) -> Float32[Array, "label sample"]:
        row = network_input(training, samples, present)[np.newaxis]
        curves = np.zeros((len(LABELS), training.length), np.float32)
        for name, model in models.items():
            curves[LABELS.index(name)] = model.predict(row)[0]
        return curves

    return outputs
