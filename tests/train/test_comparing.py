"""Pickers side by side, on small made sets and on the peers' windows."""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("h5py")

from tests.train.made_sets import made_set
from zilzal.core.errors import ConfigError, ModelError
from zilzal.core.pick import Phase
from zilzal.evaluate.interval import Resampling
from zilzal.evaluate.picks import count_by_group, match_picks
from zilzal.evaluate.report import Judging
from zilzal.io.table_file import read_table
from zilzal.pick.neural import NeuralPicker
from zilzal.train import contest as contest_room
from zilzal.train.answers import Answers, joined
from zilzal.train.candidates import find_candidates, pick_cases, windows_hash
from zilzal.train.comparing import compare
from zilzal.train.contest import Contest, Tuning, pick_windows
from zilzal.train.pick_lists import PickList, read_list
from zilzal.train.pick_results import write_outcome
from zilzal.train.protocol import Protocol
from zilzal.train.truths import picks_of, truth_of
from zilzal.train.window_table import read_windows
from zilzal.train.windows import iterate_cases

JUDGING = Judging(resampling=Resampling(n_draws=50))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return made_set(tmp_path_factory.mktemp("sets") / "made")


@pytest.fixture(scope="module")
def cases(folder):
    return list(iterate_cases([folder], Protocol()))


def contest(*paths, models=("stalta",), **options):
    return Contest(
        paths=paths, protocol=options.pop("protocol", Protocol()),
        candidates=find_candidates(models), judging=JUDGING, **options,
    )  # fmt: skip


def rows_of(answers, phase, *, above=0.0):
    rows = answers.picks[(answers.picks["phase"] == phase) & (answers.picks["output"] >= above)]
    return sorted((row["window"], round(float(row["time_s"]), 6)) for row in rows)


def assert_same(one, other):
    """Equal in all fields; NaN equals NaN."""
    assert one.dtype == other.dtype
    for name in one.dtype.names:
        np.testing.assert_array_equal(one[name], other[name])


def test_picks_above_a_network_s_own_thresholds_are_those_of_operation(cases):
    (low,) = find_candidates(["zilzal"])
    operation = replace(low, picker=NeuralPicker(with_probabilities=True))
    ours, theirs = pick_cases(low, cases), pick_cases(operation, cases)
    for phase, threshold in low.thresholds.items():
        assert rows_of(theirs, phase)
        assert rows_of(ours, phase, above=threshold) == rows_of(theirs, phase)
    assert len(ours.picks) > len(theirs.picks)


def test_outputs_are_the_network_s_and_probabilities_calibrated(cases):
    (candidate,) = find_candidates(["zilzal"])
    spec = candidate.picker._load().spec
    for row in pick_cases(candidate, cases).picks:
        claimed = spec.calibrate(str(row["phase"]), float(row["output"]))
        assert row["probability"] == pytest.approx(claimed, abs=1e-5)
        assert row["uncertainty_s"] == pytest.approx(spec.uncertainty_s(str(row["phase"]), claimed))


def test_which_windows_come_together_changes_nothing(cases):
    for candidate in find_candidates(["zilzal", "stalta"]):
        whole = pick_cases(candidate, cases)
        parts = joined((1, pick_cases(candidate, [case])) for case in cases)
        for table in ("picks", "detections"):
            one, other = getattr(whole, table), getattr(parts, table)
            assert len(one) == len(other) > 0
            one, other = (np.sort(x, order=list(x.dtype.names[:3])) for x in (one, other))
            for name in set(one.dtype.names) - {"phase"}:
                np.testing.assert_allclose(one[name], other[name], rtol=1e-5)


def test_answers_are_kept_as_they_are(cases, tmp_path):
    (candidate,) = find_candidates(["stalta"])
    answers = pick_cases(candidate, cases)
    answers.save(tmp_path / "a.npz")
    again = Answers.load(tmp_path / "a.npz")
    assert_same(again.picks, answers.picks)
    assert_same(again.detections, answers.detections)
    replace(answers, detections=None).save(tmp_path / "b.npz")
    assert Answers.load(tmp_path / "b.npz").detections is None


def test_an_interrupted_run_goes_on_where_it_was(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(contest_room, "BLOCK", 3)
    asked = contest(folder, cache=tmp_path)
    whole = pick_windows(replace(asked, cache=None), asked.paths, asked.protocol)
    done = []

    def stopping(candidate, block):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(len(block))
        return pick_cases(candidate, block)

    monkeypatch.setattr(contest_room, "pick_cases", stopping)
    with pytest.raises(KeyboardInterrupt):
        pick_windows(asked, asked.paths, asked.protocol)
    monkeypatch.setattr(
        contest_room, "pick_cases", lambda c, block: done.append(len(block)) or pick_cases(c, block)
    )
    again = pick_windows(asked, asked.paths, asked.protocol)
    assert done == [3, 3, 2]
    assert_same(again.answers["stalta"].picks, whole.answers["stalta"].picks)


def test_kept_picks_are_of_the_very_windows(cases):
    assert windows_hash(cases) == windows_hash([*cases])
    louder = replace(cases[0], trial=replace(cases[0].trial, samples=2 * cases[0].trial.samples))
    assert windows_hash([louder]) != windows_hash(cases[:1])
    assert windows_hash([replace(cases[0], shift=1)]) != windows_hash(cases[:1])


def test_a_list_written_by_one_run_scores_the_same_in_another(folder, tmp_path):
    asked = contest(folder, models=("zilzal",))
    outcome = compare(asked)
    write_outcome(outcome, asked, tmp_path)
    found = PickList(
        name="again", path=tmp_path / "picks" / "zilzal.csv",
        thresholds=asked.candidates[0].thresholds,
    )  # fmt: skip
    (again,) = compare(replace(asked, candidates=(), lists=(found,))).reports
    for phase, report in outcome.reports[0].phases.items():
        for tolerance_s, score in report.pooled.by_tolerance.items():
            other = again.phases[phase].pooled.by_tolerance[tolerance_s]
            assert (other.n_right, other.n_false) == (score.n_right, score.n_false)
            assert other.residuals.mean_absolute_s == pytest.approx(
                score.residuals.mean_absolute_s, abs=1e-4
            )
        assert again.phases[phase].calibration_error == pytest.approx(
            report.calibration_error, abs=1e-3
        )
    assert again.detection is None


def noisy_list(path, folder, *, first, n_noise):
    """Picks at all labels with probability 0.8, and at noise with 0.5 or less."""
    lines = ["trace_name,phase,sample,probability"]
    for line in read_table(folder / "metadata.csv", ("trace_name",)):
        if line.text("trace_p_arrival_sample"):
            lines.append(f"{line.text('trace_name')},P,{line.text('trace_p_arrival_sample')},0.8")
            lines.append(f"{line.text('trace_name')},P,1000,0.3")
    lines += [f"trace{first + k},P,{3000},0.5" for k in range(n_noise)]
    path.write_text("\n".join(lines) + "\n")
    return PickList(name="other", path=path.parent, thresholds={})


def test_thresholds_are_chosen_on_other_data_and_alike_for_all(folder, tmp_path):
    tuned = made_set(tmp_path / "tuned", first=50, seed=9)
    found = noisy_list(tmp_path / "tuned.csv", tuned, first=56, n_noise=2)
    noisy_list(tmp_path / "made.csv", folder, first=6, n_noise=2)
    tuning = Tuning(paths=(tuned,), protocol=Protocol(), false_per_hour=0.0)
    outcome = compare(contest(folder, lists=(found,), tuning=tuning))
    for report in outcome.reports:
        assert report.origin == "tuned"
    other = outcome.reports[1].phases[Phase.P]
    assert other.threshold == 0.8
    score = other.pooled.by_tolerance[0.2]
    assert (score.f1.value, score.false_per_noise_hour) == (1.0, 0.0)
    given = {"other": {Phase.P: 0.1}}
    (_, other) = compare(contest(folder, lists=(found,), tuning=tuning, thresholds=given)).reports
    assert (other.origin, other.phases[Phase.P].threshold) == ("given", 0.1)
    assert other.phases[Phase.P].pooled.by_tolerance[0.2].n_noise_picks == 2
    # The list has no S, so nothing is said of its S.
    assert set(other.phases) == {Phase.P}


def test_choosing_on_what_is_scored_is_refused_unless_asked_for(folder):
    tuning = Tuning(paths=(folder,), protocol=Protocol())
    with pytest.raises(ConfigError, match="chosen on what is scored"):
        compare(contest(folder, tuning=tuning))
    compare(contest(folder, tuning=replace(tuning, allow_overlap=True)))


def test_a_limit_needs_noise(folder, tmp_path):
    tuned = made_set(tmp_path / "tuned", first=50, n_noise=0)
    tuning = Tuning(paths=(tuned,), protocol=Protocol(), false_per_hour=1.0)
    with pytest.raises(ConfigError, match="hold no noise"):
        compare(contest(folder, tuning=tuning))


def test_contests_that_make_no_sense_are_refused(folder):
    with pytest.raises(ConfigError, match="no picker"):
        contest(folder, models=())
    with pytest.raises(ConfigError, match="two pickers are named 'stalta'"):
        contest(folder, models=("stalta", "stalta"))
    with pytest.raises(ConfigError, match="given for nobody; the pickers are stalta"):
        contest(folder, thresholds={"nobody": {Phase.P: 0.5}})
    with pytest.raises(ConfigError, match=r"0.2 of stalta for P is below 0.3"):
        contest(folder, thresholds={"stalta": {Phase.P: 0.2}})
    with pytest.raises(ConfigError, match=r"0.01 of zilzal for S is below 0.05"):
        contest(folder, models=("zilzal",), thresholds={"zilzal": {Phase.S: 0.01}})
    with pytest.raises(ConfigError, match="letters, digits"):
        contest(folder, models=("a/b=stalta",))
    with pytest.raises(ModelError, match="no network 'nothing'"):
        contest(folder, models=("nothing",))


def test_contested_picks_are_left_out_unless_near_a_label(cases):
    case = next(case for case in cases if case.trial.truth[Phase.P])
    label = case.trial.truth[Phase.P][0]
    contested = replace(case, contested={Phase.P: ((label - 300, label + 300),), Phase.S: ()})
    rows = [(0, "P", (label + off) / 100, 1.0, 1.0, 0.1, 0.0) for off in (-200, 10, 400)]
    answers = Answers.of_rows(rows)
    assert len(picks_of([case], answers, Phase.P).onsets) == 3
    kept = picks_of([contested], answers, Phase.P).onsets.time_s * 100 - label
    np.testing.assert_allclose(kept, [10, 400])


PEERS = ("phasenet_original", "seist_l", "eqcct", "pickerxl", "pnsn", "stalta_aic", "consensus")
SETS = ("martinique", "obst", "stead_ta109c")


@pytest.fixture(scope="module")
def peer_cases(shared):
    table = read_windows(shared / "peers" / "picks" / "windows_used.csv")
    paths = [shared / "data" / "picks" / name for name in SETS]
    found = iterate_cases(paths, Protocol(split="all", table=table))
    return [case.without_samples() for case in found]


def published(shared, peer):
    """Lines of the peers' scores on our sets, with their thresholds."""
    for line in read_table(shared / "peers" / "scores.csv", ("peer", "set", "threshold_kind")):
        name, threshold = line.text("peer"), line.real_or_none("threshold") or -np.inf
        if name.startswith("consensus_"):
            name, threshold = "consensus", float(name.removeprefix("consensus_")[0])
        if name == peer and line.text("set") in SETS:
            yield line, threshold


def counts(truth, picks, threshold, tolerance_s):
    """Right and false picks, and residuals."""
    kept = picks.above(threshold).onsets
    match = match_picks(truth.records, truth.labels, kept, tolerance_s=tolerance_s)
    near = match_picks(truth.records, truth.labels, kept, tolerance_s=0.5)
    right, false, _ = count_by_group(truth.records, truth.labels, kept, match)
    return int(right.sum()), int(false.sum()), near.residual_s


@pytest.mark.parity
@pytest.mark.parametrize("peer", PEERS)
def test_scores_of_the_peers_are_those_published_with_their_picks(shared, peer, peer_cases):
    """Exact where no pick lies on the threshold: the lists round scores to three decimals."""
    answers = read_list(
        PickList(name=peer, path=shared / "peers" / "picks", thresholds={}), peer_cases
    )
    known = {
        (phase, name): (
            (truth := truth_of(peer_cases, phase)).where(truth.source == SETS.index(name)),
            picks_of(peer_cases, answers, phase).of_records(truth.source == SETS.index(name)),
        )
        for phase in Phase
        for name in SETS
    }
    rounding = 0.0 if peer == "consensus" else 5e-4
    compared = exact = 0
    for line, threshold in published(shared, peer):
        truth, picks = known[line.choice("phase", Phase), line.text("set")]
        tolerance_s = line.real("tolerance_s")
        right, false, off_s = counts(truth, picks, threshold, tolerance_s)
        least_right, least_false, _ = counts(truth, picks, threshold + rounding, tolerance_s)
        wanted = int(line.real("tp")), int(line.real("fp"))
        assert len(truth.labels) == int(line.real("n_labels"))
        assert least_right <= wanted[0] <= right or right <= wanted[0] <= least_right
        assert least_false <= wanted[1] <= false
        compared += 1
        if (right, false) == wanted and least_right == right and least_false == false:
            exact += 1
            assert np.abs(off_s).mean() == pytest.approx(line.real("mae_s"), abs=6e-5)
            # Of two picks equally far on either side of a label either is the nearest.
            assert np.median(off_s) == pytest.approx(line.real("median_s"), abs=5.1e-3)
    assert compared >= 18
    assert exact >= 0.6 * compared


@pytest.mark.parity
def test_the_benchmark_gives_a_peer_s_published_scores(shared, monkeypatch):
    path = Path(__file__).parents[2] / "benchmarks" / "picker_skill.py"
    spec = importlib.util.spec_from_file_location("picker_skill", path)
    script = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, script)
    spec.loader.exec_module(script)
    asked = script.contest_of(shared, ["zilzal"], "all", ["stead_ta109c"])
    asked = replace(asked, lists=asked.lists[:1], judging=JUDGING)
    result = script.result_of(compare(asked), asked, ["stead_ta109c"], asked.candidates)
    pooled = result["skill"]["phasenet_original"]["pooled"]
    lines = [
        line
        for line, _ in published(shared, "phasenet_original")
        if line.text("set") == "stead_ta109c" and line.text("threshold_kind") == "default"
    ]
    assert len(lines) == 6
    for line in lines:
        score = pooled[f"{line.text('phase')}@{line.text('tolerance_s')}"]
        for name in ("f1", "precision", "recall"):
            value = score[name]["value"] if name == "f1" else score[name]
            assert value == pytest.approx(line.real(name), abs=6e-5)
    assert result["n_windows"] == 50
    assert result["skill"]["zilzal"]["stead_ta109c"]["P@0.5"]["f1"]["value"] > 0.8
