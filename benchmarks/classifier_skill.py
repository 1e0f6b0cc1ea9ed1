"""Skill of the classifiers: noise or event, kinds of events, and the labels of single samples.

    python benchmarks/classifier_skill.py --shared ../shared
    python benchmarks/classifier_skill.py --shared ../shared --part gate

Each part writes its own section of benchmarks/results/classifier_skill.json; curves that the
figures need go to `--curves`, a folder. `benchmarks/classifier_figures.py` draws them.
"""

from __future__ import annotations

import argparse
import csv
import json
import logging
import os
import platform
import time
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from zilzal.classify.features import Features, compute_features
from zilzal.classify.learned import LearnedClassifier
from zilzal.core.errors import GapError
from zilzal.core.event import Unlocated
from zilzal.core.ids import ChannelId, SensorId
from zilzal.core.pick import Phase, Pick, Provenance
from zilzal.core.stage import Evidence
from zilzal.core.station import Inventory
from zilzal.core.time import Time
from zilzal.core.waveform import Window
from zilzal.io.archive import Archive
from zilzal.learn.estimators import MLPClassifier
from zilzal.learn.files import save_model
from zilzal.pick.neural import NeuralPicker
from zilzal.signal.filter import bandpass, start_filter, step_filter
from zilzal.signal.trigger import StaLta, start_sta_lta, step_sta_lta
from zilzal.train.class_scores import (
    STA_LTA_CHOICES,
    best_threshold,
    binary_scores,
    boosting_fit,
    class_scores,
    f1_interval,
    forest_fit,
    highest_ratios,
)
from zilzal.train.classifier import (
    NOISE_ARCHIVES,
    Task,
    cross_validated,
    learn_kinds,
    learn_noise_or_event,
    tasks,
)
from zilzal.train.consensus import read_archive, read_consensus
from zilzal.train.dataset import Record, read_seisbench
from zilzal.train.excerpts import (
    EVENT,
    Excerpt,
    Table,
    draw_window,
    random_table,
    read_noise_and_events,
)
from zilzal.train.fitting import (
    cross_validate,
    crossed_folds,
    fused_rows,
    grouped_folds,
    mlp_fit,
    probabilities_of,
    source_folds,
)
from zilzal.train.labels import with_codas
from zilzal.train.sample_labels import SampleTraining, labelling, train_labeller
from zilzal.train.skill import THRESHOLDS, Outputs, Trial, pick_trials, random_trials, sweep

RESULT = Path(__file__).parent / "results" / "classifier_skill.json"
LABELLED = (
    "anza_noise", "martinique", "ncedc_deepdenoiser", "ncedc_phasenet", "obst", "stead_ta109c",
    "uturuncu",
)  # fmt: skip
SEED = 222
logger = logging.getLogger("classifier_skill")


# Part "lecture": the exercise's perceptron on minutes of one component.


def minute_windows(excerpts: Sequence[Excerpt], rng) -> list[Excerpt]:
    """Whole minutes at a random place of each record, with the P 3 s or more inside."""
    found = []
    for excerpt in excerpts:
        length = round(60 * excerpt.sampling_rate)
        lowest, highest = 0, excerpt.samples.shape[1] - length
        if excerpt.onset is not None:
            margin = 3 * excerpt.sampling_rate
            lowest = max(lowest, round(excerpt.onset + margin) - length)
            highest = min(highest, round(excerpt.onset - margin))
        if lowest > highest:
            continue
        start = int(rng.integers(lowest, highest + 1))
        cut = slice(start, start + length)
        found.append(
            replace(excerpt, samples=excerpt.samples[:, cut], present=excerpt.present[:, cut])
        )
    return found


def table_of(features: Features, excerpts: Sequence[Excerpt]):
    rows, kept = [], []
    for excerpt in excerpts:
        try:
            rows.append(compute_features(features, excerpt.samples, excerpt.present, 100.0))
            kept.append(excerpt)
        except GapError:
            continue
    return np.stack(rows), np.array([e.label == EVENT for e in kept]), kept


def balanced(excerpts: Sequence[Excerpt], rng) -> list[Excerpt]:
    """As many of each class, as in the exercise."""
    events = [e for e in excerpts if e.label == EVENT]
    noise = [e for e in excerpts if e.label != EVENT]
    n = min(len(events), len(noise))
    return [
        kind[k] for kind in (events, noise) for k in sorted(rng.permutation(len(kind))[:n].tolist())
    ]


def lecture(excerpts: Sequence[Excerpt]) -> dict[str, Any]:
    """6000-32-32-1, ReLU, SGD 1e-3, batch 8, 100 epochs, on inputs from raw to spectrogram."""
    result: dict[str, Any] = {}
    cases = {
        "raw counts": ("counts", "gradient_descent", 1e-3, "uniform"),
        "raw, scaled": ("scaled", "gradient_descent", 1e-3, "uniform"),
        "raw, scaled, Adam": ("scaled", "adam", 1e-3, "he"),
        "1 to 15 Hz, scaled": ("filtered", "gradient_descent", 1e-3, "uniform"),
        "1 to 15 Hz, scaled, Adam": ("filtered", "adam", 1e-3, "he"),
        "amplitude spectrum": ("spectrum", "gradient_descent", 1e-3, "uniform"),
        "amplitude spectrum, Adam": ("spectrum", "adam", 1e-3, "he"),
        "short-time transform": ("image", "gradient_descent", 1e-3, "uniform"),
        "short-time transform, Adam": ("image", "adam", 1e-3, "he"),
    }
    for name, (block, rule, rate, initialiser) in cases.items():
        rng = np.random.default_rng(SEED)
        features = Features(blocks=(block,))
        sets = {
            split: balanced(minute_windows([e for e in excerpts if e.split == split], rng), rng)
            for split in ("train", "dev")
        }
        x, y, _ = table_of(features, sets["train"])
        x_dev, y_dev, kept = table_of(features, sets["dev"])
        began = time.perf_counter()
        network = MLPClassifier(
            (32, 32), rule=rule, length=rate, batch_size=8, epochs=100, initialiser=initialiser,
            random_state=SEED,
        )  # fmt: skip
        # Divergence is a result here: it is reported as "stopped", not warned of.
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            network.fit(x, y)
            told, learnt = (network.predict_proba(rows)[:, 1] for rows in (x_dev, x))
        told, learnt = np.nan_to_num(told, nan=0.0), np.nan_to_num(learnt, nan=0.0)
        events = np.array([e.event for e in kept])
        from_anza = np.array([e.source == "anza_noise" for e in kept])
        result[name] = {
            "n train": len(y),
            "n dev": len(y_dev),
            "accuracy on the training windows": float(np.mean((learnt >= 0.5) == y)),
            "loss at the end": float(network.history_[-1].loss),
            "stopped": network.history_[-1].stopped,
            "epochs": len(network.history_),
            "noise told right, Anza": float(np.mean(told[~y_dev & from_anza] < 0.5)),
            "noise told right, elsewhere": float(np.mean(told[~y_dev & ~from_anza] < 0.5)),
            "seconds": time.perf_counter() - began,
            **short(binary_scores(told, y_dev, events)),
        }
        logger.info("%s %s", name, {k: v for k, v in result[name].items() if "ROC" not in k})
    return result


def short(scores: dict[str, Any]) -> dict[str, Any]:
    return {
        k: v for k, v in scores.items() if k not in ("ROC", "reliability (claimed, observed, n)")
    }


# Part "gate": the shipped noise/event network.


def gate(excerpts: Sequence[Excerpt], shared: Path, curves: Path) -> dict[str, Any]:
    task = tasks(shared)["noise-event"]
    training = task.training
    trained = learn_noise_or_event(task, shared, splits=("train",))
    result: dict[str, Any] = {
        "crossed folds (new stations and new events)": {"zilzal": cross_validated(trained)}
    }
    table = trained.table
    seen = ~np.isnan(trained.probabilities[:, 0])
    folds = crossed_folds(table, training.n_folds, training.seed)
    fits = {"random forest": forest_fit(SEED), "gradient boosting": boosting_fit(SEED)}
    crossed = result["crossed folds (new stations and new events)"]
    is_event = table.labels == EVENT
    for name, fit in fits.items():
        told = cross_validate(fit, table, folds)[seen, 0]
        crossed[name] = short(binary_scores(told, is_event[seen], trained.groups[seen]))
    result["one set left out, then the next"] = left_out(table, mlp_fit(training))
    dev = [e for e in excerpts if e.split == "dev"]
    result["development split"] = development(task, trained, table, dev, fits, curves)
    result["quiet archive"] = quiet_archive(shared, trained)
    save_model(curves / "noise-event-train.npz", trained.model)
    return result


def left_out(table: Table, fit) -> dict[str, Any]:
    told = cross_validate(fit, table, source_folds(table))[:, 0]
    is_event, sources = table.labels == EVENT, table.column("source")
    shares = {}
    for name in np.unique(sources).tolist():
        of_set = sources == name
        shares[name] = {
            kind: [float(np.mean((told[rows] >= 0.5) == truth)), int(rows.sum())]
            for kind, truth, rows in (
                ("events told right", True, of_set & is_event),
                ("noise told right", False, of_set & ~is_event),
            )
            if rows.any()
        }
    return {
        "all": short(binary_scores(told, is_event, table.column("event"))),
        "share, number of windows": shares,
    }


def development(task: Task, trained, table: Table, dev, fits, curves: Path) -> dict[str, Any]:
    """Windows of the development split: whole ones as far as records reach, and shortened ones."""
    features = task.training.features
    learners = {name: fit(table) for name, fit in fits.items()}
    result: dict[str, Any] = {}
    for kind, shortens in (("whole", False), ("shortened", True)):
        windows = random_table(
            features, dev, np.random.default_rng(SEED + 1), draws=5, shortens=shortens
        )
        truth, events = windows.labels == EVENT, windows.column("event")
        sources = windows.column("source")
        analysts = np.isin(sources, LABELLED)
        told = {"zilzal": probabilities_of(trained.model, windows.x)[:, 0]}
        told |= {name: learnt(windows.x)[:, 0] for name, learnt in learners.items()}
        told["STA/LTA"], threshold, method = sta_lta(table, windows, shortens)
        section: dict[str, Any] = {"STA/LTA method, threshold": [repr(method), threshold]}
        for name, p in told.items():
            at = threshold if name == "STA/LTA" else 0.5
            section[name] = {
                "labelled sets": binary_scores(
                    p[analysts], truth[analysts], events[analysts], threshold=at
                ),
                "peers' windows": short(
                    binary_scores(p[~analysts], truth[~analysts], events[~analysts], threshold=at)
                ),
                "right by set": {
                    s: [
                        float(np.mean((p[sources == s] >= at) == truth[sources == s])),
                        int(np.sum(sources == s)),
                    ]
                    for s in np.unique(sources).tolist()
                },
            }
            logger.info("%s %s %s", kind, name, section[name]["labelled sets"]["f1"])
        result[kind] = section
        np.savez(
            curves / f"gate-{kind}.npz", truth=truth, analysts=analysts,
            **{k.replace("/", "-").replace(" ", "-"): v for k, v in told.items()},
        )  # fmt: skip
    return result


def sta_lta(table: Table, windows: Table, shortens: bool):
    """Scores of the development windows, at the threshold and memories best on the training set."""
    features = tasks(Path())["noise-event"].training.features
    train_rng, dev_rng = np.random.default_rng(SEED), np.random.default_rng(SEED + 1)
    learnt = highest_ratios(
        table.excerpts, lambda e: draw_window(e, features, train_rng, shortens=shortens)
    )
    truth = np.array([e.label == EVENT for e in table.excerpts])
    scored = []
    for column in range(learnt.shape[1]):
        threshold = best_threshold(learnt[:, column], truth)
        told = learnt[:, column] >= threshold
        scored.append((2 * np.sum(told & truth) / (truth.sum() + told.sum()), threshold))
    best = int(np.argmax([f1 for f1, _ in scored]))
    chosen = [windows.excerpts[k] for k in windows.number]
    ratios = highest_ratios(
        chosen,
        lambda e: draw_window(e, features, dev_rng, shortens=shortens),
        STA_LTA_CHOICES[best : best + 1],
    )
    return ratios[:, 0], scored[best][1], STA_LTA_CHOICES[best]


def quiet_archive(shared: Path, trained) -> dict[str, Any]:
    """Minutes of three stations' quiet day, one after the other, that the network calls events."""
    folder = shared / "data/continuous/anza_1998-01-01"
    result: dict[str, Any] = {}
    features = trained.model.notes["features"]
    features = Features.from_notes(features)
    everything = []
    for record in read_archive(folder, shared / "peers/consensus"):
        minutes = minutes_of(record, features, trained.model)
        is_known = any(record.name.startswith(name) for name in NOISE_ARCHIVES[folder.name])
        result[record.name + (" (trained on)" if is_known else "")] = alarm_counts([minutes])
        everything += [] if is_known else [minutes]
    return {"stations not trained on": alarm_counts(everything)} | result


def minutes_of(record: Record, features: Features, model) -> np.ndarray:
    """Rows of probability of an event, whether any peer fired in the minute, whether clean."""
    length, rows = round(60 * record.sampling_rate), []
    quiet = np.zeros(record.length, bool)
    for first, last in record.quiet:
        quiet[first : last + 1] = True
    picks = np.array([o.sample for o in record.onsets])
    for start in range(0, record.length - length + 1, length):
        cut = slice(start, start + length)
        try:
            x = compute_features(
                features, record.samples[:, cut], record.present[:, cut], record.sampling_rate
            )
        except GapError:
            continue
        near = (picks >= start - 30 * record.sampling_rate) & (picks < start + length)
        rows.append(
            (probabilities_of(model, x[None])[0, 0], bool(near.any()), bool(quiet[cut].all()))
        )
    return np.array(rows, float)


def alarm_counts(days: Sequence[np.ndarray]) -> dict[str, Any]:
    rows = np.concatenate(days)
    probability, picked, clean = rows[:, 0], rows[:, 1] > 0, rows[:, 2] > 0
    counts = {
        "minutes": len(rows),
        "minutes with consensus picks": int(picked.sum()),
        "clean minutes": int(clean.sum()),
    }
    for threshold in (0.5, 0.9, 0.95, 0.99):
        told = probability >= threshold
        counts[f"told event at {threshold}"] = {
            "per station-day, all minutes": float(told.sum() / len(days)),
            "per station-day, clean minutes (false alarms)": float(
                (told & clean).sum() / clean.sum() * 1440
            ),
            "of minutes with consensus picks, share": float(told[picked].mean()),
        }
    return counts


# Part "kinds".


def kinds(shared: Path, curves: Path) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name in ("montserrat", "esec"):
        task = tasks(shared)[name]
        trained = learn_kinds(task)
        table = trained.table
        section: dict[str, Any] = {
            "temperature and correlation are fitted on the same folds": True,
            "zilzal": cross_validated(trained),
            "correlation": trained.model.notes["correlation"],
        }
        groups = np.array([event.split(" ")[0] for event in table.column("event")])
        folds = grouped_folds(table, groups, task.training.n_folds, task.training.seed)
        classes, number = np.unique(table.labels, return_inverse=True)
        for other, fit in {
            "random forest": forest_fit(SEED),
            "gradient boosting": boosting_fit(SEED),
        }.items():
            told = cross_validate(fit, table, folds)
            fused, first = fused_rows(
                told, trained.groups, float(trained.model.notes["correlation"])
            )
            section[other] = {
                "record": class_scores(told, number, classes.tolist()),
                "event": class_scores(fused, number[first], classes.tolist()),
            }
        sure = trained.probabilities.max(axis=1) >= 0.6
        fused, first = fused_rows(
            trained.probabilities, trained.groups, float(trained.model.notes["correlation"])
        )
        certain = fused.max(axis=1) >= 0.6
        right = fused.argmax(axis=1) == number[first]
        section["unknown below 0.6"] = {
            "records told": float(sure.mean()),
            "events told": float(certain.mean()),
            "events told, right": float(right[certain].mean()),
            "events not told, would be right": float(right[~certain].mean()),
        }
        result[name] = section
        save_model(curves / f"{name}.npz", trained.model)
        for who in ("zilzal", "random forest", "gradient boosting"):
            of_record, of_event = (section[who][by]["macro f1"] for by in ("record", "event"))
            logger.info("%s %s record %.3f event %.3f", name, who, of_record, of_event)
    return result


# Part "samples".


def samples(shared: Path, curves: Path, epochs: int) -> dict[str, Any]:
    """The exercise's perceptrons beside STA/LTA and the monitor's convolutional network."""
    folders = [f for f in sorted((shared / "data/picks").iterdir()) if f.name != "toc2me"]
    records = [with_codas(r) for f in folders for r in read_seisbench(f, splits=("train", "dev"))]
    learnt = [r for r in records if r.split == "train"]
    order = np.random.default_rng(SEED).permutation(len(learnt))
    learnt = [learnt[k] for k in order]
    trials = random_trials([r for r in records if r.split == "dev"], np.random.default_rng(SEED))
    models, history = {}, {}
    for label in ("detection", "P", "S"):
        training = SampleTraining(label=label, epochs=epochs)
        began = time.perf_counter()
        models[label], loss = train_labeller(training, learnt)
        best = int(np.nanargmin([v for _, v in loss]))
        history[label] = {
            "first": loss[0], "last": loss[-1], "best epoch": best + 1,
            "best held out": loss[best][1], "seconds": time.perf_counter() - began,
        }  # fmt: skip
        save_model(curves / f"samples-{label}.npz", models[label])
    outputs = {
        "perceptron": labelling(SampleTraining(), models),
        "STA/LTA": sta_lta_curves,
        "convolutional (zilzal)": convolutional(),
    }
    result: dict[str, Any] = {"loss (learnt, held out)": history, "n windows": len(trials)}
    for name, output in outputs.items():
        result[name] = sample_scores(output, trials)
        logger.info("%s %s", name, result[name])
    examples(outputs, trials, curves)
    return result


def convolutional() -> Outputs:
    """The curves of the monitor's picker, run as in operation."""
    picker = NeuralPicker(with_probabilities=True)
    start = Time(0)

    def outputs(cut, present):
        window = Window(
            sensor_id=SensorId("XX", "A", "", "HH"), start=start, sampling_rate=100.0,
            samples=cut.astype(np.float32), present=present,
        )  # fmt: skip
        state, begun = picker.step(picker.start(), [window])
        curves = np.zeros((3, cut.shape[1]), np.float32)
        for told in (*begun.probabilities, *picker.finish(state).probabilities):
            first = round((told.start - start) * told.sampling_rate)
            rows = [told.labels.index(label) for label in ("P", "S", "detection")]
            values = np.nan_to_num(told.values[rows])[:, max(0, -first) : cut.shape[1] - first]
            curves[:, max(0, first) : max(0, first) + values.shape[1]] = values
        return curves

    return outputs


def sta_lta_curves(cut, present):  # noqa: ARG001 - as `Outputs`
    """Recursive STA/LTA of Z, 1 to 15 Hz, as a curve from 0 to 1; no S."""
    row = next((k for k in range(3) if cut[k].any()), 0)
    sections = bandpass(1.0, 15.0, order=4, sampling_rate=100.0)
    filtered = step_filter(sections, start_filter(sections, 1), cut[row : row + 1].astype(float))[1]
    method = StaLta(sta_s=0.5, lta_s=5.0)
    ratio = step_sta_lta(method, start_sta_lta(1), filtered**2, 100.0)[1][0]
    curve = ratio / (ratio + 4)
    return np.stack([curve, np.zeros_like(curve), curve]).astype(np.float32)


def sample_scores(output: Outputs, trials: Sequence[Trial]) -> dict[str, Any]:
    """By the threshold that is best on these windows: an upper bound for each method alike."""
    scores: dict[str, Any] = {}
    picks = pick_trials(output, trials)
    for phase in Phase:
        for tolerance_s in (0.1, 0.5):
            swept = sweep(trials, picks[phase], phase, tolerance_s=tolerance_s)
            best = int(np.nanargmax(swept.f1)) if np.isfinite(swept.f1).any() else 0
            scores[f"{phase}@{tolerance_s}"] = {
                "f1": float(swept.f1[best]), "threshold": float(swept.threshold[best]),
                "false per noise hour": float(swept.false_per_noise_hour[best]),
            }  # fmt: skip
    return scores | {"detection": detection_scores(output, trials)}


def detection_scores(output: Outputs, trials: Sequence[Trial]) -> dict[str, Any]:
    truth, value, groups = [], [], []
    for number, trial in enumerate(trials):
        if not (trial.is_noise or (trial.codas and all(c.weight >= 0.5 for c in trial.codas))):
            continue
        live = slice(trial.live[0], trial.live[1] + 1)
        inside = np.zeros(trial.samples.shape[1], bool)
        for coda in trial.codas:
            inside[max(0, round(coda.first)) : max(0, round(coda.last))] = True
        truth.append(inside[live][::10])
        value.append(output(trial.samples, trial.present)[2, live][::10])
        groups.append(np.full(len(truth[-1]), number))
    truth, value, groups = (np.concatenate(part) for part in (truth, value, groups))
    f1 = [2 * (truth & (value >= t)).sum() / (truth.sum() + (value >= t).sum()) for t in THRESHOLDS]
    best = int(np.argmax(f1))
    low, high = f1_interval(truth, value >= THRESHOLDS[best], groups)
    return {
        "f1": float(f1[best]), "interval": [low, high], "threshold": THRESHOLDS[best],
        "f1 of always saying event": float(2 * truth.sum() / (truth.sum() + len(truth))),
        "share inside events": float(truth.mean()),
    }  # fmt: skip


def examples(outputs: dict[str, Outputs], trials: Sequence[Trial], curves: Path) -> None:
    """An event and a noise window with all curves, for the figure."""
    event = next(
        t
        for t in trials
        if t.source == "ncedc_phasenet"
        and t.truth[Phase.S]
        and t.truth[Phase.P]
        and not t.is_noise
        and t.live[0] == 0
    )
    noise = next(t for t in trials if t.is_noise)
    stored: dict[str, np.ndarray] = {}
    for kind, trial in (("event", event), ("noise", noise)):
        stored[f"{kind} samples"] = trial.samples[0]
        stored[f"{kind} codas"] = np.array([(c.first, c.last) for c in trial.codas])
        stored[f"{kind} P"] = np.array(trial.truth[Phase.P] or ())
        stored[f"{kind} S"] = np.array(trial.truth[Phase.S] or ())
        for name, output in outputs.items():
            stored[f"{kind} {name.split(' ')[0].replace('/', '-')}"] = output(
                trial.samples, trial.present
            )
    np.savez(curves / "samples.npz", **stored)


# Part "monitor": the plug-in on archives.


def monitor(shared: Path) -> dict[str, Any]:
    """What the packaged gate says of catalogued events, and of quiet instants put to it."""
    provenance = Provenance(method="consensus", version="")
    consensus = read_consensus(shared / "peers/consensus", "ridgecrest_2019-07-07")
    picks = [
        Pick(
            channel_id=ChannelId(network, station, "", group + "Z"), phase=Phase.P, time=at,
            probability=weight, uncertainty_s=0.1, provenance=provenance,
        )
        for (network, station, group), said in consensus.items()
        for phase, at, weight in said.picks
        if phase is Phase.P
    ]  # fmt: skip
    folder = shared / "data/continuous/ridgecrest_2019-07-07"
    archive = Archive.open(folder)
    with (folder / "catalogue.csv").open(newline="") as file:
        origins = [(Time.parse(r["time"]), float(r["magnitude"])) for r in csv.DictReader(file)]
    told = []
    for origin, _ in origins:
        near = tuple(p for p in picks if 0 < p.time - origin < 25)
        told.append(str(asked(archive, origin, near).event_type))
    anza = Archive.open(shared / "data/continuous/anza_1998-01-01")
    sensors = sorted({channel.sensor_id for channel in anza.channel_ids()})
    quiet = read_consensus(shared / "peers/consensus", "anza_1998-01-01")
    day = Time.parse("1998-01-01")
    instants = [
        instant
        for instant in (day + 60.0 * minute for minute in range(1, 1439))
        if all(any(a + 15 <= instant <= b - 45 for a, b in s.clean) for s in quiet.values())
    ]
    rejected = []
    for instant in instants:
        chance = tuple(
            Pick(
                channel_id=sensor.channel_id("Z"), phase=Phase.P, time=instant, probability=0.3,
                uncertainty_s=0.1, provenance=provenance,
            )
            for sensor in sensors
        )  # fmt: skip
        rejected.append(str(asked(anza, instant, chance).event_type))
    return {
        "Ridgecrest's reviewed events": counted(told),
        "magnitudes": [magnitude for _, magnitude in origins],
        "told": told,
        "quiet instants of Anza, three stations (one of them trained on)": counted(rejected),
    }


def asked(archive: Archive, time: Time, picks: tuple[Pick, ...]):
    return LearnedClassifier().classify(
        Evidence(
            origin=Unlocated(reason="not asked", time=time), picks=picks, detections=(),
            magnitudes=(), waveforms=archive, inventory=Inventory.of(()),
        )
    )  # fmt: skip


def counted(told: Sequence[str]) -> dict[str, int]:
    return {kind: told.count(kind) for kind in sorted(set(told))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--shared", type=Path, required=True)
    parser.add_argument(
        "--part", nargs="+", default=["lecture", "gate", "kinds", "samples", "monitor"]
    )
    parser.add_argument("--curves", type=Path, default=Path("out/classifier"))
    parser.add_argument("--epochs", type=int, default=100, help="of the sample labels")
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logger.setLevel(logging.INFO)
    options.curves.mkdir(parents=True, exist_ok=True)
    excerpts = (
        read_noise_and_events(options.shared, archives=NOISE_ARCHIVES)
        if {"lecture", "gate"} & set(options.part)
        else []
    )
    for part in options.part:
        began = time.perf_counter()
        if part == "lecture":
            section = lecture([e for e in excerpts if not e.source.startswith("anza_1998")])
        elif part == "gate":
            section = gate(excerpts, options.shared, options.curves)
        elif part == "kinds":
            section = kinds(options.shared, options.curves)
        elif part == "monitor":
            section = monitor(options.shared)
        else:
            section = samples(options.shared, options.curves, options.epochs)
        section["run"] = {
            "seconds": time.perf_counter() - began,
            "machine": f"{platform.machine()}, Python {platform.python_version()}",
            "threads": os.environ.get("OMP_NUM_THREADS", ""),
            "seed": SEED,
            "command": f"python benchmarks/classifier_skill.py --shared ../shared --part {part}",
        }
        known = json.loads(RESULT.read_text()) if RESULT.is_file() else {}
        known[part] = section
        RESULT.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
