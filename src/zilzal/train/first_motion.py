"""Training of the network for first motions.

It learns from motions that the rule reads at clear onsets, under real noise and at picks that are
off, so that it can tell them where the rule cannot. Analysts' motions are kept for testing.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from zilzal.core.errors import DataError
from zilzal.learn.descent import Descent
from zilzal.learn.files import Model
from zilzal.learn.layers import RELU, Convolution, Dense, Part
from zilzal.learn.lengths import CosineCooling
from zilzal.learn.losses import BinaryCrossEntropy
from zilzal.learn.network import Network
from zilzal.learn.rules import Adam
from zilzal.learn.training import Epoch, NetworkLoss, Samples, Training
from zilzal.pick.motion import AFTER, BEFORE, probability_up
from zilzal.train.clear_motions import (
    Examples,
    Mixing,
    clear_motions,
    draw_examples,
    held_out,
    real_noises,
)
from zilzal.train.dataset import Record
from zilzal.train.fitting import best_temperature, with_temperature
from zilzal.train.motions import with_first_motions

logger = logging.getLogger(__name__)

KEPT_FOR_TESTS = frozenset({"toc2me"})
"""The only set whose first motions an analyst read: they judge what is learnt from a rule."""

FEWEST_EVENTS = 20
"""With clear first motions; a share of them is kept for the calibration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MotionTraining:
    """How the network is trained.

    Args:
        layers: taps, units and step of each convolution.
        hidden: units of the layer after them.
        mixing: of the examples.
        examples: drawn.
        epochs: passes over them.
        rate: of Adam, cooled to a hundredth of it.
        batch_size: of a step.
        penalty: adds `penalty/2 |W|²`.
        kept: share of the events on which the temperature is chosen; the network sees none of it.
        seed: of everything.
    """

    layers: tuple[tuple[int, int, int], ...] = ((7, 16, 1), (7, 32, 2), (5, 32, 2))
    hidden: int = 64
    mixing: Mixing = field(default_factory=Mixing)
    examples: int = 200_000
    epochs: int = 6
    rate: float = 2e-3
    batch_size: int = 128
    penalty: float = 1e-5
    kept: float = 0.15
    seed: int = 204

    def network(self) -> Network:
        """Convolutions along the window, then two dense layers."""
        parts: list[Part] = []
        places, channels = BEFORE + AFTER, 1
        for taps, units, step in self.layers:
            layer = Convolution(places, channels, taps, units, step)
            parts += [layer, RELU]
            places, channels = layer.runs, units
        return Network((*parts, Dense(places * channels, self.hidden), RELU, Dense(self.hidden, 1)))


Told = Callable[[Epoch], None]
"""Called after each epoch."""


def train_first_motion(
    records: Sequence[Record], training: MotionTraining, *, told: Told
) -> tuple[Model, dict[str, Any]]:
    """The network, calibrated, and what was measured on events that it did not see.

    Args:
        records: with arrivals and quiet spans, as `train.shared` reads them.
        training: how.
        told: called after each epoch.

    Raises:
        DataError: there are too few clear motions, or there is no noise.
    """
    rng = np.random.default_rng(training.seed)
    motions = clear_motions(
        [with_first_motions(record) for record in records if record.source not in KEPT_FOR_TESTS]
    )
    noises = real_noises(records, rng)
    n_events = len({(motion.source, motion.event) for motion in motions})
    if n_events < FEWEST_EVENTS or not len(noises):
        raise DataError(
            f"{len(records)} records hold clear first motions of {n_events} events and "
            f"{len(noises)} spans of noise; at least {FEWEST_EVENTS} and one are needed: add sets"
        )
    learnt, kept = ([motions[n] for n in part] for part in
                    held_out(motions, rng, share=training.kept))  # fmt: skip
    logger.info("%d motions, %d of them kept; %d noises", len(motions), len(kept), len(noises))
    examples, unseen = (
        draw_examples(part, noises, training.mixing, rng, count=count)
        for part, count in ((learnt, training.examples), (kept, training.examples // 20))
    )
    model = fit(training, examples, rng, told=told)
    up = probability_up(model, unseen.seen)
    temperature = best_temperature(np.stack((1 - up, up), 1), unseen.is_up.astype(int))
    notes = {
        "name": "first-motion",
        "task": "first motion",
        "licence": "Apache-2.0",
        "motions": dict(sorted(Counter(motion.source for motion in motions).items())),
        "not learnt from": sorted(KEPT_FOR_TESTS),
        "training": asdict(training),
    }
    cooled = with_temperature(model, temperature)
    model = Model(network=cooled.network, parameters=cooled.parameters, notes=notes)
    scores = {"motions": len(motions), "kept": len(kept), "temperature": temperature}
    return model, scores | _scores(model, unseen)


def fit(
    training: MotionTraining, examples: Examples, rng: np.random.Generator, *, told: Told
) -> Model:
    """A network from examples, not calibrated."""
    network = training.network()
    samples = Samples(examples.seen, examples.is_up[:, np.newaxis].astype(np.float32))
    steps = training.epochs * -(-len(samples) // training.batch_size)
    length = CosineCooling(training.rate, steps, 0.01 * training.rate)
    how = Training(
        descent=Descent(rule=Adam(), length=length),
        epochs=training.epochs,
        batch_size=training.batch_size,
        penalty=training.penalty,
    )
    progress = how.start(network.initialise(rng), rng)
    for epoch in how.run(progress, NetworkLoss(network, BinaryCrossEntropy(), samples)):
        told(epoch)
    return Model(network=network, parameters=how.result(progress))


def _scores(model: Model, unseen: Examples) -> dict[str, float]:
    up = probability_up(model, unseen.seen)
    is_right, sure = (up > 0.5) == unseen.is_up, np.maximum(up, 1 - up)
    likelihood = np.where(unseen.is_up, up, 1 - up)
    scores = {"cross-entropy": -float(np.mean(np.log(np.maximum(likelihood, 1e-12))))}
    for probability in (0.5, 0.8, 0.9, 0.95, 0.98):
        decided = sure >= probability
        scores[f"decided at {probability:g}"] = float(decided.mean())
        if decided.any():
            scores[f"right at {probability:g}"] = float(is_right[decided].mean())
    return scores
