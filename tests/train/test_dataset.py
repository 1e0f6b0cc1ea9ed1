"""Labelled sets as they lie on disk."""

import csv

import numpy as np
import pytest

from zilzal.core.errors import FormatError
from zilzal.core.pick import Phase, Polarity
from zilzal.train.course_format import load_course, save_course
from zilzal.train.dataset import (
    live_samples,
    machine_trust,
    read_course_npz,
    read_metadata,
    read_seisbench,
    resampled,
)

h5py = pytest.importorskip("h5py")


def write_set(folder, rows, arrays, *, order="ZNE"):
    folder.mkdir(exist_ok=True)
    columns = list(dict.fromkeys(key for row in rows for key in row))
    with (folder / "metadata.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    with h5py.File(folder / "waveforms.hdf5", "w") as file:
        for name, array in arrays.items():
            file[f"data/{name}"] = array
        file["data_format/component_order"] = order
        file["data_format/dimension_order"] = "CW"
    return folder


def row(name, **columns):
    return {"trace_name": name, "trace_sampling_rate_hz": "100.0", "split": "train", **columns}


def test_components_are_put_into_the_order_zne(tmp_path):
    steps = np.arange(200) % 2
    samples = np.stack([1 * steps, 2 * steps, 3 * steps]).astype(np.float32)
    folder = write_set(tmp_path / "a", [row("x")], {"x": samples}, order="E1Z")
    (record,) = read_seisbench(folder)
    assert np.ptp(record.samples, axis=1).tolist() == [3, 2, 1]


def test_blocked_traces_are_cut_from_their_bucket(tmp_path):
    bucket = np.random.default_rng(0).normal(size=(2, 3, 300)).astype(np.float32)
    rows = [row("bucket0$1,:3,:250", trace_p_arrival_sample="20")]
    (record,) = read_seisbench(write_set(tmp_path / "a", rows, {"bucket0": bucket}))
    expected = bucket[1, :, :250] - bucket[1, :, :250].mean(1, keepdims=True)
    np.testing.assert_allclose(record.samples, expected, atol=1e-6)


def test_labels_move_with_the_sampling_rate(tmp_path):
    samples = np.random.default_rng(0).normal(size=(3, 1000)).astype(np.float32)
    rows = [row("x", trace_p_arrival_sample="500", trace_s_arrival_sample="600.5")]
    rows[0]["trace_sampling_rate_hz"] = "500.0"
    (record,) = read_seisbench(write_set(tmp_path / "a", rows, {"x": samples}))
    assert [o.phase for o in record.onsets] == [Phase.P, Phase.S]
    assert [o.sample for o in record.onsets] == pytest.approx([100, 120.1])
    assert record.length == 200


def test_an_unlabelled_s_is_unknown_from_the_p_on(tmp_path):
    samples = np.random.default_rng(0).normal(size=(3, 1000)).astype(np.float32)
    rows = [row("x", trace_p_arrival_sample="500", trace_s_labelled="False")]
    (record,) = read_seisbench(write_set(tmp_path / "a", rows, {"x": samples}))
    (span,) = record.unknown
    assert (span.phase, span.first, span.last) == (Phase.S, 500, 999)


def test_only_the_asked_splits_are_read(tmp_path):
    samples = np.random.default_rng(0).normal(size=(3, 100)).astype(np.float32)
    rows = [row("x"), row("y", split="dev")]
    folder = write_set(tmp_path / "a", rows, {"x": samples, "y": samples})
    assert [r.name for r in read_seisbench(folder)] == ["x"]
    assert [r.name for r in read_seisbench(folder, splits=("dev",))] == ["y"]


def test_dead_components_are_absent(tmp_path):
    samples = np.random.default_rng(0).normal(size=(3, 100)).astype(np.float32)
    samples[1] = 7
    rows = [row("x", trace_dead_components="E")]
    (record,) = read_seisbench(write_set(tmp_path / "a", rows, {"x": samples}))
    assert record.present.all(1).tolist() == [True, False, False]
    assert not record.samples[1:].any()


@pytest.mark.parametrize(
    ("columns", "polarity"),
    [
        ({"trace_polarity": "positive"}, Polarity.POSITIVE),
        ({"trace_p_polarity": "Down", "trace_polarity": ""}, Polarity.NEGATIVE),
        ({"trace_polarity": "undecidable"}, Polarity.UNDECIDABLE),
        ({"trace_polarity": "unknown"}, None),
        ({}, None),
    ],
)
def test_first_motion_belongs_to_the_p(tmp_path, columns, polarity):
    samples = np.random.default_rng(0).normal(size=(3, 1000)).astype(np.float32)
    rows = [row("x", trace_p_arrival_sample="500", trace_s_arrival_sample="600", **columns)]
    (record,) = read_seisbench(write_set(tmp_path / "a", rows, {"x": samples}))
    assert [onset.polarity for onset in record.onsets] == [polarity, None]


def test_lists_of_machine_labels_carry_their_trust(tmp_path):
    samples = np.random.default_rng(0).normal(size=(3, 1000)).astype(np.float32)
    rows = [
        row(
            "x", trace_p_arrival_samples="100;700", trace_p_n_families="6;3",
            trace_p_spread_s="0.05;0.1", trace_p_probability="0.9;0.5",
            trace_p_contested_spans="300-400",
        )
    ]  # fmt: skip
    (record,) = read_seisbench(write_set(tmp_path / "a", rows, {"x": samples}))
    assert [o.weight for o in record.onsets] == [1.0, 0.25]
    assert [(u.first, u.last) for u in record.unknown] == [(300, 400)]


def test_lists_of_reported_labels_carry_status_weight_and_first_motion(tmp_path):
    samples = np.random.default_rng(0).normal(size=(3, 1000)).astype(np.float32)
    rows = [
        row(
            "x", trace_p_arrival_sample="100", trace_p_arrival_samples="100;700;800.5",
            trace_p_statuses="manual;automatic;", trace_p_weights="0.5;0.9;",
            trace_p_polarities=";negative;undecidable", trace_s_labelled="False",
            trace_s_unlabelled_spans="120-190",
        )
    ]  # fmt: skip
    (record,) = read_seisbench(write_set(tmp_path / "a", rows, {"x": samples}))
    assert [o.sample for o in record.onsets] == [100, 700, 800.5]
    assert [o.weight for o in record.onsets] == pytest.approx([0.5, 0.18, 0.9])
    motions = [o.polarity for o in record.onsets]
    assert motions == [None, Polarity.NEGATIVE, Polarity.UNDECIDABLE]
    assert [(u.phase, u.first, u.last) for u in record.unknown] == [(Phase.S, 120, 190)]


def test_a_line_without_a_list_is_read_as_if_the_set_had_none(tmp_path):
    """Sets of both kinds may have been merged."""
    samples = np.random.default_rng(0).normal(size=(3, 1000)).astype(np.float32)
    rows = [
        row("x", trace_p_arrival_sample="100", trace_p_arrival_samples="100"),
        row("y", trace_p_arrival_sample="500", trace_s_labelled="False"),
    ]
    folder = write_set(tmp_path / "a", rows, {"x": samples, "y": samples})
    assert [u.first for u in read_seisbench(folder)[1].unknown] == [500]


def test_a_coda_that_the_set_knows_is_kept(tmp_path):
    samples = np.random.default_rng(0).normal(size=(3, 1000)).astype(np.float32)
    rows = [row("x", trace_p_arrival_sample="100", trace_coda_end_sample="800")]
    rows[0]["trace_sampling_rate_hz"] = "50.0"
    (record,) = read_seisbench(write_set(tmp_path / "a", rows, {"x": samples}))
    assert [(c.first, c.last, c.weight) for c in record.codas] == [(200, 1600, 0.9)]


def test_missing_spans_are_absent_and_leave_no_step(tmp_path):
    samples = np.full((3, 1000), 10_000, np.int32)
    samples += np.random.default_rng(0).integers(-5, 6, samples.shape, np.int32)
    samples[0, 300:400] = 0
    rows = [row("x", trace_z_missing_spans="300-399")]
    rows[0]["trace_sampling_rate_hz"] = "50.0"
    (record,) = read_seisbench(write_set(tmp_path / "a", rows, {"x": samples}))
    assert record.present[1:].all()
    assert np.flatnonzero(~record.present[0]).tolist() == list(range(599, 800))
    assert np.abs(record.samples).max() < 15


def test_chunked_sets_are_read_as_one(tmp_path):
    rng = np.random.default_rng(0)
    arrays = {name: rng.normal(size=(3, 100)).astype(np.float32) for name in "xy"}
    for chunk, name in (("_2019", "x"), ("_2020", "y")):
        write_set(tmp_path / chunk, [row(name)], {name: arrays[name]})
        for kind, ending in (("metadata", "csv"), ("waveforms", "hdf5")):
            (tmp_path / chunk / f"{kind}.{ending}").rename(tmp_path / f"{kind}{chunk}.{ending}")
    assert [r.name for r in read_seisbench(tmp_path)] == ["x", "y"]
    (tmp_path / "chunks").write_text("_2020\n")
    (record,) = read_seisbench(tmp_path)
    expected = arrays["y"] - arrays["y"].mean(1, keepdims=True)
    np.testing.assert_allclose(record.samples, expected, atol=1e-6)


@pytest.mark.parametrize("where", ["trace_dt_s", "data_format"])
def test_the_rate_may_stand_elsewhere(tmp_path, where):
    rows = [{"trace_name": "x"}]
    if where == "trace_dt_s":
        rows[0]["trace_dt_s"] = "0.005"
    folder = write_set(tmp_path / "a", rows, {"x": np.ones((3, 10))})
    if where == "data_format":
        with h5py.File(folder / "waveforms.hdf5", "a") as file:
            file["data_format/sampling_rate"] = 200.0
    (line,) = read_metadata(folder)
    assert line.number("trace_sampling_rate_hz") == 200


def test_a_doubtful_machine_s_counts_half():
    sure = machine_trust(5, phase=Phase.S, spread_s=0.1, probability=0.8)
    assert machine_trust(5, phase=Phase.S, spread_s=0.3, probability=0.8) == sure / 2
    assert machine_trust(5, phase=Phase.P, spread_s=0.3, probability=0.8) == sure
    assert machine_trust(2, phase=Phase.P, spread_s=0.0, probability=1.0) == 0


def test_missing_files_and_traces_are_refused(tmp_path):
    with pytest.raises(FormatError, match=r"metadata\.csv is missing"):
        read_metadata(tmp_path)
    folder = write_set(tmp_path / "a", [row("x")], {"y": np.ones((3, 10))})
    with pytest.raises(FormatError, match="no data/x"):
        read_seisbench(folder)


def test_a_tone_keeps_amplitude_and_phase_when_resampled():
    def tone(rate):
        return np.sin(2 * np.pi * 3.0 * np.arange(int(20 * rate)) / rate)[None].astype(np.float32)

    inner = slice(200, -200)
    np.testing.assert_allclose(
        resampled(tone(40.0), 40.0, 100.0)[:, inner], tone(100.0)[:, inner], atol=2e-3
    )


def test_flat_components_are_not_live():
    samples = np.zeros((3, 50), np.float32)
    samples[0, 20] = 1
    live = live_samples(samples, 10, 40)
    assert live.any(1).tolist() == [True, False, False]
    assert np.flatnonzero(live[0]).tolist() == list(range(10, 41))


def test_the_course_file_is_read(tmp_path):
    rng = np.random.default_rng(0)
    arrays = {"data": rng.normal(size=(2, 6000)), "label": np.array([1, 0])}
    arrays |= {"P": np.array([1000, 0]), "S": np.array([1500, 0]), "E": np.array([3000, 0])}
    np.savez(tmp_path / "course.npz", **arrays)
    event, noise = read_course_npz(tmp_path / "course.npz")
    assert event.onset_samples(Phase.P) == [1000]
    assert event.onset_samples(Phase.S) == [1500]
    assert (event.codas[0].first, event.codas[0].last) == (1000, 3000)
    assert noise.kind == "noise"
    assert noise.quiet == ((0, 5999),)
    assert event.present.any(1).tolist() == [True, False, False]


def test_a_course_file_comes_back_as_it_was(tmp_path):
    rng = np.random.default_rng(0)
    data = rng.normal(size=(3, 6000))
    times = {"P": [1000.5, 0, 800.0], "S": [1500.0, 0, np.nan], "E": [3000.0, 0, 2000.0]}
    arrays = {name: np.array(values) for name, values in times.items()}
    np.savez(tmp_path / "a.npz", data=data[..., None], label=np.array([1, 0, 1]), **arrays)
    save_course(tmp_path / "b.npz", load_course(tmp_path / "a.npz"))
    with np.load(tmp_path / "b.npz") as again:
        assert again["data"].dtype == np.float64
        np.testing.assert_array_equal(again["data"], data)
        np.testing.assert_array_equal(again["label"], [1, 0, 1])
        for name, values in arrays.items():
            np.testing.assert_array_equal(again[name], values)
    assert len(read_course_npz(tmp_path / "b.npz")[2].onsets) == 1  # no S


def test_a_course_file_without_labels_is_refused(tmp_path):
    np.savez(tmp_path / "course.npz", data=np.zeros((1, 6000)))
    with pytest.raises(FormatError, match="lacks the arrays"):
        read_course_npz(tmp_path / "course.npz")


def test_the_shared_sets_hold_what_their_readme_says(shared):
    records = read_seisbench(shared / "data/picks/ncedc_phasenet", splits=("train", "dev"))
    assert len(records) == 154
    assert sum(len(r.onset_samples(Phase.S)) for r in records) == 154
    assert {r.onset_samples(Phase.P)[0] for r in records} == {3000}


def test_first_motions_of_a_shared_set_are_read(shared):
    # Of its 50, one stands in a record whose P nobody labelled.
    records = read_seisbench(shared / "data/picks/toc2me", splits=("train", "dev"))
    seen = [o.polarity for r in records for o in r.onsets if o.polarity is not None]
    assert (seen.count(Polarity.NEGATIVE), seen.count(Polarity.POSITIVE)) == (33, 16)


def test_train_and_dev_share_no_event(shared):
    for folder in sorted((shared / "data/picks").iterdir()):
        events = {
            split: {line.text("source_id") for line in read_metadata(folder)
                    if line.text("split") == split}
            for split in ("train", "dev")
        }  # fmt: skip
        assert not events["train"] & events["dev"], folder.name
