"""The figures of docs/explanation/classification.md, from what classifier_skill.py has left.

python benchmarks/classifier_figures.py --curves out/classifier
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import roc_curve

from zilzal.evaluate.calibration import reliability_table
from zilzal.figures.style import (
    DETECTION_COLOUR,
    FAINT,
    INK,
    P_COLOUR,
    S_COLOUR,
    drawing,
    save_figure,
)
from zilzal.signal.spectrum import Segments, spectrogram

RESULT = Path(__file__).parent / "results" / "classifier_skill.json"
IMAGES = Path(__file__).parents[1] / "docs" / "images"


def draw_inputs(results: dict[str, Any]) -> None:
    """Accuracy on windows learnt and on the development split, by input."""
    cases = {k: v for k, v in results["lecture"].items() if k != "run"}
    figure, axes = plt.subplots(figsize=(6.6, 3.4))
    place = np.arange(len(cases))[::-1]
    learnt = [v["accuracy on the training windows"] for v in cases.values()]
    dev = [v["accuracy"] for v in cases.values()]
    axes.barh(place + 0.18, learnt, 0.34, color=FAINT, label="windows it learnt from")
    axes.barh(place - 0.18, dev, 0.34, color=P_COLOUR, label="development split")
    axes.axvline(0.5, color=INK, lw=0.8, ls=":")
    axes.set_yticks(place, list(cases))
    axes.set_xlim(0.4, 1.0)
    axes.set_xlabel("accuracy (0.5 is chance)")
    axes.legend(loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=2)
    save_figure(figure, IMAGES / "classify-inputs.png")


def draw_gate(curves: Path) -> None:
    """ROC curves and reliability on the labelled sets' development windows."""
    stored = np.load(curves / "gate-whole.npz")
    truth, chosen = stored["truth"].astype(bool), stored["analysts"].astype(bool)
    figure, (roc, reliable) = plt.subplots(1, 2, figsize=(7.2, 3.2))
    colours = {
        "zilzal": P_COLOUR, "random-forest": DETECTION_COLOUR, "gradient-boosting": S_COLOUR,
        "STA-LTA": FAINT,
    }  # fmt: skip
    for name, colour in colours.items():
        false, right, _ = roc_curve(truth[chosen], stored[name][chosen])
        label = {"zilzal": "perceptron", "STA-LTA": "STA/LTA"}.get(name, name.replace("-", " "))
        roc.plot(false, right, color=colour, label=label)
    roc.set(
        xlabel="noise told to be an event",
        ylabel="events told",
        xlim=(-0.01, 0.4),
        ylim=(0.6, 1.01),
    )
    roc.legend(loc="lower right")
    roc.set_title("Development split, labelled sets")
    table = [b for b in reliability_table(stored["zilzal"][chosen], truth[chosen]) if b.count >= 5]
    claimed = [b.mean_probability for b in table]
    seen = np.array([[b.observed.value, b.observed.low, b.observed.high] for b in table]).T
    reliable.plot([0, 1], [0, 1], color=FAINT, ls=":")
    reliable.errorbar(
        claimed, seen[0], yerr=np.abs(seen[1:] - seen[0]), color=P_COLOUR, marker="o", ms=4, lw=1
    )
    reliable.set(xlabel="probability of an event claimed", ylabel="share that were events")
    reliable.set_title("Reliability")
    save_figure(figure, IMAGES / "classify-gate.png")


def draw_kinds(results: dict[str, Any]) -> None:
    """Confusion of the fused classes, in shares of the true class."""
    figure, panels = plt.subplots(1, 2, figsize=(8.4, 3.9))
    for axes, name in zip(panels, ("montserrat", "esec"), strict=True):
        section = results["kinds"][name]["zilzal"]
        counts = np.array(section["event"]["confusion (rows truth, columns told)"])
        share = counts / counts.sum(axis=1, keepdims=True)
        axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
        for (row, column), count in np.ndenumerate(counts):
            colour = "white" if share[row, column] > 0.6 else INK
            axes.text(column, row, str(count), ha="center", va="center", color=colour)
        labels = [c.replace("-or-", "/").replace("-", " ") for c in section["classes"]]
        axes.set_xticks(range(len(labels)), labels, rotation=35, ha="right")
        axes.set_yticks(range(len(labels)), labels)
        axes.grid(visible=False)
        axes.set_title(f"{name}, events: macro F1 {section['event']['macro f1']:.2f}")
        axes.set_xlabel("told")
        axes.set_ylabel("analyst")
    save_figure(figure, IMAGES / "classify-kinds.png")


def draw_samples(curves: Path) -> None:
    """An event and a noise window: trace, spectrogram, truth, and what three methods say."""
    stored = np.load(curves / "samples.npz")
    figure, panels = plt.subplots(
        5, 2, figsize=(8.6, 7.2), sharex=True, height_ratios=[1.2, 1.4, 0.8, 0.8, 0.8]
    )
    time_s = np.arange(6000) / 100
    for column, kind in enumerate(("event", "noise")):
        axes = panels[:, column]
        trace = stored[f"{kind} samples"]
        axes[0].plot(time_s, trace / np.abs(trace).max(), color=INK, lw=0.4)
        axes[0].set_title(f"{kind.capitalize()}, vertical")
        segments = Segments(length=200, hop=20)
        power = spectrogram(trace[np.newaxis], 100.0, segments)[0]
        level = 10 * np.log10(power + power.max() * 1e-9)
        axes[1].pcolormesh(
            segments.centres_s(6000, 100.0), np.fft.rfftfreq(200, 0.01), level,
            vmin=level.max() - 70, rasterized=True,
        )  # fmt: skip
        axes[1].set_ylim(0, 30)
        truth_of(axes[2], stored, kind, time_s)
        for row, name, label in (
            (3, "perceptron", "perceptron"),
            (4, "convolutional", "convolutional"),
        ):
            told = stored[f"{kind} {name}"]
            for curve, colour in zip(told, (P_COLOUR, S_COLOUR, DETECTION_COLOUR), strict=True):
                axes[row].plot(time_s, curve, color=colour, lw=0.9)
            axes[row].set_ylim(-0.03, 1.03)
            if column == 0:
                axes[row].set_ylabel(label)
        axes[4].set_xlabel("time [s]")
    panels[1, 0].set_ylabel("frequency [Hz]")
    panels[2, 0].set_ylabel("truth")
    panels[0, 0].set_ylabel("counts / largest")
    save_figure(figure, IMAGES / "classify-samples.png")


def truth_of(axes, stored, kind: str, time_s) -> None:
    inside = np.zeros(6000)
    for first, last in stored[f"{kind} codas"].reshape(-1, 2):
        inside[max(0, round(first)) : max(0, round(last))] = 1
    axes.fill_between(time_s, inside, color=DETECTION_COLOUR, alpha=0.25, lw=0, label="detection")
    for phase, colour in (("P", P_COLOUR), ("S", S_COLOUR)):
        bell = np.zeros(6000)
        for sample in stored[f"{kind} {phase}"]:
            bell = np.maximum(bell, np.exp(-0.5 * ((time_s * 100 - sample) / 10) ** 2))
        axes.plot(time_s, bell, color=colour, label=phase)
    axes.set_ylim(-0.03, 1.03)
    if kind == "event":
        axes.legend(ncols=3, loc="upper right", fontsize=7)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--curves", type=Path, default=Path("out/classifier"))
    options = parser.parse_args(arguments)
    results = json.loads(RESULT.read_text())
    with drawing():
        draw_inputs(results)
        draw_gate(options.curves)
        draw_kinds(results)
        draw_samples(options.curves)


if __name__ == "__main__":
    main()
