"""What is in a set, and what is wrong with it."""

import numpy as np
import pytest

from tests.train.sets.made import counts, small_set
from tests.train.test_dataset import row, write_set
from zilzal.core.pick import Phase
from zilzal.train.seisbench_writer import write_notes
from zilzal.train.sets.examples import draw_examples
from zilzal.train.sets.survey import quartiles, survey

pytest.importorskip("h5py")

FULL = {
    "trace_start_time": "2024-03-05T12:00:00Z", "station_network_code": "XX", "station_code": "A",
}  # fmt: skip


def told(folder, **options):
    return survey(folder, **options).problems.counts


def test_a_sound_set_is_counted_and_has_no_problems(tmp_path):
    rows = [
        {**FULL, "trace_p_arrival_sample": "100", "trace_p_status": "manual", "split": "train",
         "trace_s_arrival_sample": "250", "trace_s_status": "automatic", "source_id": "e",
         "source_magnitude": "2.5", "path_ep_distance_km": "12", "trace_polarity": "positive"},
        {**FULL, "station_code": "B", "trace_p_arrival_samples": "50;99.5", "source_id": "e",
         "trace_p_statuses": "manual;", "trace_p_arrival_sample": "50", "split": "train",
         "source_magnitude": "2.5", "trace_sampling_rate_hz": "50.0", "trace_snr_db": "7"},
        {**FULL, "station_code": "C", "trace_category": "noise", "source_id": "n"},
    ]  # fmt: skip
    folder = small_set(tmp_path / "set", rows, length=1_000)
    write_notes(folder, {"licence": "CC0"})
    found = survey(folder)
    assert found.problems.counts == {}
    assert (len(found.traces), found.n_noise, found.events) == (3, 1, {"e"})
    assert found.stations == {"XX.A", "XX.B", "XX.C"}
    assert found.arrivals[Phase.P] == {"manual": 2, "unknown": 1}
    assert found.arrivals[Phase.S] == {"automatic": 1}
    assert found.polarities == {"positive": 1}
    assert found.rates == {100.0: 2, 50.0: 1}
    assert found.units == {"int32, unit not said": 3}
    assert found.s_minus_p_s == [1.5]
    assert found.p_place_s == [1.0, 1.0]
    assert found.durations_s == [10.0, 20.0, 10.0]
    assert (found.distances_km, found.magnitudes) == ([12.0], {"e": 2.5})
    assert found.splits == {"train": 2, "": 1}
    assert found.notes["licence"] == "CC0"
    assert 7.0 in found.snr_db


def test_signal_to_noise_is_measured_where_the_set_does_not_say_it(tmp_path):
    samples = counts(3 * 3_000, largest=100).reshape(3, -1)
    samples[:, 1_500:] *= 10
    rows = [{**FULL, "trace_p_arrival_sample": "1500", "source_id": "e"}]
    folder = small_set(tmp_path / "set", rows, samples={"t0": samples})
    assert survey(folder).snr_db == [pytest.approx(20.0, abs=1.0)]
    assert survey(folder, with_waveforms=False).snr_db == []


PROBLEMS = {
    "no start time": {"trace_start_time": ""},
    "no station code": {"station_code": ""},
    "no sampling rate": {"trace_sampling_rate_hz": ""},
    "arrival outside its window": {"trace_p_arrival_sample": "300"},
    "S not after its P": {"trace_s_arrival_sample": "50"},
    "no arrival labelled": {"trace_p_arrival_sample": ""},
    "noise with an arrival": {"trace_category": "noise"},
    "number of samples is not trace_npts": {"trace_npts": "299"},
    "cell that cannot be read": {"trace_p_arrival_sample": "soon"},
    "arrival where nothing was recorded": {
        f"trace_{c}_missing_spans": "90-110" for c in "zne"
    },
}  # fmt: skip


@pytest.mark.parametrize("problem", PROBLEMS)
def test_each_problem_of_a_line_is_found(tmp_path, problem):
    cells = {**FULL, "trace_p_arrival_sample": "100", "source_id": "e"}
    other = {**FULL, "station_code": "B", "trace_category": "noise"}
    folder = small_set(tmp_path / "set", [{**cells, **PROBLEMS[problem]}, other])
    assert told(folder)[problem] == 1
    assert problem not in told(small_set(tmp_path / "sound", [cells, other]))


def test_each_problem_of_the_samples_is_found(tmp_path):
    sound = counts(3 * 300).reshape(3, -1).astype(np.float32)
    flat, spoilt, dead = sound.copy(), sound.copy() + 1, np.ones_like(sound)
    flat[1] = 3
    spoilt[0, 7] = np.nan
    arrays = {"sound": sound, "flat": flat, "spoilt": spoilt, "dead": dead, "twice": sound}
    rows = [{**FULL, "trace_name": n, "trace_p_arrival_sample": "100", "source_id": "e"}
            for n in arrays]  # fmt: skip
    found = survey(small_set(tmp_path / "set", rows, samples=arrays)).problems
    assert found.counts == {
        "flat component that trace_dead_components does not name": 1,
        "samples that are not finite": 1,
        "flat components only": 1,
        "waveform that is there already": 1,
    }
    assert found.examples["waveform that is there already"] == ["twice as sound"]


def test_missing_traces_and_double_names_are_found(tmp_path):
    rows = [row("x", **FULL, trace_p_arrival_sample="9")] * 2 + [row("y", trace_category="noise")]
    folder = write_set(tmp_path / "set", rows, {"x": counts(300).reshape(3, -1)})
    found = told(folder)
    assert found["trace that cannot be read"] == 1
    assert found["trace name given twice"] == 1


def test_a_p_at_a_fixed_place_is_told(tmp_path):
    rows = [{**FULL, "trace_p_arrival_sample": f"{100 + n}", "source_id": "e"} for n in range(30)]
    folder = small_set(tmp_path / "set", rows)
    (problem,) = [p for p in told(folder) if p.startswith("P nearly always")]
    assert "1.1 s into its window" in problem


def test_leakage_is_told(tmp_path):
    rows = [{**FULL, "trace_p_arrival_sample": "100", "source_id": "e", "split": s}
            for s in ("train", "dev")]  # fmt: skip
    found = told(small_set(tmp_path / "set", rows))
    assert found["leakage between splits: same event"] == 1


def test_examples_are_drawn_events_first(tmp_path):
    rows = [{**FULL, "trace_p_arrival_sample": "100", "source_magnitude": "1.25"}] * 20
    rows += [{**FULL, "trace_category": "noise"}] * 20
    folder = small_set(tmp_path / "set", rows)
    records, captions = draw_examples(folder, 10, np.random.default_rng(0))
    assert [record.kind for record in records] == ["earthquake"] * 8 + ["noise"] * 2
    assert captions[0] == "XX.A  2024-03-05T12:00:00  100 Hz  M 1.2"
    assert captions[-1] == "XX.A  2024-03-05T12:00:00  100 Hz  noise"
    again, _ = draw_examples(folder, 10, np.random.default_rng(0))
    assert [r.name for r in again] == [r.name for r in records]
    assert len(draw_examples(folder, 60, np.random.default_rng(0))[0]) == 40


def test_quartiles_are_numbers_that_lie_in_order():
    assert quartiles([]) is None
    assert quartiles([1, 2, 3, 4, 5]).tolist() == [1, 2, 3, 4, 5]


def test_a_shared_set_is_sound_but_for_what_its_readme_says(shared):
    found = survey(shared / "data/picks/toc2me")
    assert (len(found.traces), len(found.events)) == (186, 3)
    assert found.rates == {500.0: 186}
    assert sum(found.arrivals[Phase.P].values()) == 175
    assert sum(found.arrivals[Phase.S].values()) == 156
    assert any(p.startswith("P nearly always lies 5.0 s") for p in found.problems.counts)
