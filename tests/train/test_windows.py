"""Windows for comparing pickers: where they lie, and what is known of them."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("h5py")

from tests.train.made_sets import event_row, made_set, noise_row, samples_of, write_set
from zilzal.core.errors import ConfigError, DataError, FormatError
from zilzal.core.pick import Phase, Polarity
from zilzal.train.dataset import read_seisbench
from zilzal.train.protocol import Protocol, expand_sets, identities
from zilzal.train.skill import random_start, trial_at
from zilzal.train.window_table import read_windows, write_windows
from zilzal.train.windows import iterate_cases


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return made_set(tmp_path_factory.mktemp("sets") / "made", n_events=8)


def cases_of(*paths, **options):
    return list(iterate_cases(paths, Protocol(**options)))


def first_p(case):
    return case.trial.truth[Phase.P][0]


def test_random_windows_have_the_first_arrival_anywhere_inside(folder):
    record = read_seisbench(folder, splits=("dev",))[0]
    rng = np.random.default_rng(0)
    places = [record.onsets[0].sample - random_start(record, rng) for _ in range(1_000)]
    assert 300 <= min(places) < 340
    assert 5660 <= max(places) < 5700
    # 1000 places uniform over 54 s: each third gets 333 with a standard deviation of 15.
    thirds = np.histogram(places, [300, 2100, 3900, 5700])[0]
    assert (abs(thirds - 333) < 60).all()


def test_a_record_s_window_depends_on_seed_and_name_alone(folder, tmp_path):
    whole = {case.key: case for case in cases_of(folder)}
    again = made_set(tmp_path / "made", n_events=8)
    table = (again / "metadata.csv").read_text().splitlines(keepends=True)
    (again / "metadata.csv").write_text("".join([table[0], *table[4:6]]))
    for case in cases_of(again):
        assert case.first == whole[case.key].first
        np.testing.assert_array_equal(case.trial.samples, whole[case.key].trial.samples)
    moved = {case.key: case.first for case in cases_of(folder, seed=1)}
    assert any(moved[key] != case.first for key, case in whole.items())


def test_several_windows_hold_the_same_onsets_elsewhere(folder):
    cases = [c for c in cases_of(folder, placing="several", shifts=3) if not c.trial.is_noise]
    assert len(cases) == 24
    by_record = [cases[k : k + 3] for k in range(0, 24, 3)]
    for of_record in by_record:
        assert [case.shift for case in of_record] == [0, 1, 2]
        assert len({first_p(case) + case.first for case in of_record}) == 1
        assert len({case.first for case in of_record}) == 3


def test_fixed_windows_have_the_first_arrival_at_twenty_seconds(folder):
    for case in cases_of(folder, placing="fixed"):
        if case.trial.is_noise:
            assert case.first == 0
        else:
            assert first_p(case) == pytest.approx(2000, abs=0.5)


def test_an_arrival_beyond_the_window_is_no_label_of_it(folder):
    record = read_seisbench(folder, splits=("dev",))[0]
    p, s = (record.onset_samples(phase)[0] for phase in Phase)
    trial = trial_at(record, int(s) - 6000)
    assert trial.truth[Phase.S] == ()
    assert trial.truth[Phase.P] == (p - (int(s) - 6000),)


def test_a_written_table_gives_the_same_windows_again(folder, tmp_path):
    cases = cases_of(folder, placing="several", shifts=2)
    write_windows(tmp_path / "windows.csv", cases, seed=0)
    again = cases_of(folder, table=read_windows(tmp_path / "windows.csv"))
    assert [case.key for case in again] == [case.key for case in cases]
    for one, other in zip(again, cases, strict=True):
        assert (one.first, one.split, one.trial.live) == (
            other.first,
            other.split,
            other.trial.live,
        )
        assert one.trial.is_noise == other.trial.is_noise
        for phase in Phase:
            told = one.trial.truth[phase] or ()
            assert told == pytest.approx(other.trial.truth[phase] or ())
        scale = np.abs(other.trial.samples).max()
        np.testing.assert_allclose(one.trial.samples, other.trial.samples, atol=1e-5 * scale)
        assert one.trial.codas == other.trial.codas


def test_padding_is_zero_and_its_joint_tapered(tmp_path):
    rng = np.random.default_rng(0)
    row = event_row(0, p=500)
    folder = write_set(tmp_path / "a", [row], {"trace0": samples_of(rng, 1000, 500)})
    (case,) = cases_of(folder, placing="fixed")
    first, last = case.trial.live
    assert (first, last) == (1500, 2499)
    assert not case.trial.samples[:, :first].any()
    assert not case.trial.samples[:, last + 1 :].any()
    assert np.abs(case.trial.samples[:, first : first + 3]).max() < 0.1


def test_distance_s_minus_p_snr_and_first_motion_are_told(tmp_path):
    rng = np.random.default_rng(0)
    rows = [
        event_row(0, p=3000, s=3600, path_ep_distance_km="48.5", trace_polarity="negative"),
        event_row(1, p=3000),
        noise_row(2),
    ]
    samples = [samples_of(rng, 7000, 3000, 3600, height=100), samples_of(rng, 7000, 3000, height=3),
               samples_of(rng, 7000)]  # fmt: skip
    arrays = {row["trace_name"]: array for row, array in zip(rows, samples, strict=True)}
    strong, weak, noise = cases_of(write_set(tmp_path / "a", rows, arrays), placing="fixed")
    assert (strong.distance_km, strong.s_minus_p_s) == (48.5, 6.0)
    assert strong.polarity == (Polarity.NEGATIVE,)
    assert np.isnan([weak.distance_km, weak.s_minus_p_s, weak.snr_db[Phase.S]]).all()
    assert weak.polarity == (None,)
    # The noise has a standard deviation near 1, an onset of 100 stands 40 dB above it.
    assert strong.snr_db[Phase.P] == pytest.approx(40, abs=4)
    assert weak.snr_db[Phase.P] == pytest.approx(10, abs=4)
    assert np.isnan(noise.snr_db[Phase.P])


def test_a_folder_of_sets_stands_for_all_of_them(folder, tmp_path):
    assert expand_sets([folder.parent]) == [folder]
    with pytest.raises(DataError, match="no data set"):
        expand_sets([tmp_path])
    with pytest.raises(DataError, match="two data sets are named made"):
        expand_sets([folder, folder])


def test_a_split_without_records_names_those_there_are(folder):
    with pytest.raises(DataError, match=r"split 'test'; there are dev: 10"):
        identities([folder], Protocol(split="test"))
    assert len(identities([folder], Protocol(split="all"))) == 10


def test_options_out_of_range_are_refused():
    with pytest.raises(ConfigError, match="protocol 'often' is none of random"):
        Protocol(placing="often")
    with pytest.raises(ConfigError, match="two or more, not 1"):
        Protocol(shifts=1)


def test_a_table_that_does_not_fit_the_set_is_refused(folder, tmp_path):
    write_windows(tmp_path / "windows.csv", cases_of(folder), seed=0)
    rows = read_windows(tmp_path / "windows.csv")["made"]
    with pytest.raises(DataError, match="no trace 'elsewhere'"):
        cases_of(folder, table={"made": [replace(rows[0], trace_name="elsewhere")]})
    with pytest.raises(DataError, match="its record has 7000 samples"):
        cases_of(folder, table={"made": [replace(rows[0], first=6000, live=(0, 5999))]})


def test_a_table_without_the_set_is_refused(folder, tmp_path):
    write_windows(tmp_path / "windows.csv", cases_of(folder), seed=0)
    rows = read_windows(tmp_path / "windows.csv")["made"]
    with pytest.raises(DataError, match="has none of made; it has windows of other"):
        identities([folder], Protocol(table={"other": rows}))


def test_a_wrong_cell_of_a_table_is_named(folder, tmp_path):
    path = tmp_path / "windows.csv"
    write_windows(path, cases_of(folder), seed=0)
    header, line, *rest = path.read_text().splitlines()
    cells = line.split(",")
    cells[header.split(",").index("p_sample")] = "early"
    path.write_text("\n".join([header, ",".join(cells), *rest]))
    with pytest.raises(FormatError, match=r"line 2, column p_sample: 'early'"):
        read_windows(path)
    path.write_text("set,trace_name\n")
    with pytest.raises(FormatError, match="no column window_start_sample_100hz"):
        read_windows(path)


def test_the_course_s_file_is_a_set_too(tmp_path):
    rng = np.random.default_rng(0)
    data = np.stack([samples_of(rng, 6000, 2000, 2600)[0], samples_of(rng, 6000)[0]])
    path = tmp_path / "course.npz"
    np.savez(path, data=data, label=[1, 0], P=[2000, 0], S=[2600, 0], E=[3500, 0])
    event, noise = cases_of(path, split="train", placing="fixed")
    assert (event.trial.source, first_p(event)) == ("course", 2000)
    assert (event.trial.codas[0].first, event.trial.codas[0].last) == (2000, 3500)
    assert noise.trial.is_noise
