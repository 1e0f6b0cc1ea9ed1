"""Pools of windows: kept on disk, drawn once, filtered by set, with what teachers say."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.infer.networks import SPEC, save_network
from tests.train.test_mixture import record
from zilzal.core.errors import ConfigError, SpecError
from zilzal.infer.engine import load_model
from zilzal.signal.prepare import Preparation
from zilzal.train import pool as pool_room
from zilzal.train.mixture import Mixing, gather
from zilzal.train.options import PickerTraining
from zilzal.train.pool import Pool, draw_pool, pools_of
from zilzal.train.teachers import load_teachers, taught_curves

BY_WINDOW = replace(
    SPEC,
    preparation=Preparation(highpass_hz=None, normalisation="window_std", compression="none"),
)


def drawn(teachers=(), count=8):
    materials = gather([record(), record(source="other", at=1000)])
    rng = np.random.default_rng(5)
    return draw_pool(materials, Mixing(), Preparation(), rng, count=count, teachers=teachers)


def test_a_pool_is_read_as_it_was_written(tmp_path):
    pool = drawn()
    pool.write(tmp_path / "0.npz")
    back = Pool.read(tmp_path / "0.npz")
    for name in Pool.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(back, name), getattr(pool, name))
    assert not list(tmp_path.glob("*.part"))


def test_sets_left_out_leave_none_of_their_windows():
    pool = drawn(count=24)
    kept = pool.without(["other"])
    assert 0 < len(kept) < len(pool)
    assert all("other" not in text.split() for text in kept.sources)
    assert len(pool.without(())) == len(pool)


def test_a_teacher_says_in_the_pool_what_it_says_of_the_window(tmp_path):
    """A teacher as long as the windows is run on each once."""
    path = save_network(tmp_path, replace(BY_WINDOW, window_samples=6000, hop_samples=3000))
    teacher = load_model(path)
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(3, 3, 6000)).astype(np.float32)
    present = np.ones(samples.shape, bool)
    told = taught_curves([teacher], samples, present)
    np.testing.assert_array_equal(told, teacher.predict(samples, present)[:, :2])
    assert drawn(teachers=[teacher]).taught.shape == (8, 2, 6000)


def test_a_teachers_short_windows_cover_a_long_one_but_for_their_blind_edges(tmp_path):
    teacher = load_model(save_network(tmp_path, BY_WINDOW))
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(2, 3, 2100)).astype(np.float32)
    told = taught_curves([teacher], samples, np.ones(samples.shape, bool))
    alone = teacher.predict(samples[:, :, :800], np.ones((2, 3, 800), bool))[:, :2]
    # The second window begins at 433 and counts from 533 on.
    np.testing.assert_allclose(told[:, :, :533], alone[:, :, :533], rtol=1e-6)
    assert np.abs(told[:, :, 540:600] - alone[:, :, 540:600]).max() > 1e-4
    assert np.isfinite(told).all()


def test_a_network_that_is_normalised_along_time_is_no_teacher(tmp_path):
    with pytest.raises(SpecError, match="window by window"):
        load_teachers([save_network(tmp_path)])


@pytest.fixture
def training(tmp_path):
    return PickerTraining(
        shared=tmp_path, output=tmp_path / "out", pools=2, windows=32, batch=8, without=("other",)
    )


def test_pools_are_drawn_once_and_read_from_then_on(training, monkeypatch):
    records = [record(), record(source="other", at=1000)]

    def materials(shared: Path, *, sets):
        return records

    class Here:
        """An executor in this process."""

        def __init__(self, _workers, _context, *, initializer, initargs):
            self.begin = lambda: initializer(*initargs)

        def __enter__(self):
            self.begin()
            return self

        def __exit__(self, *_):
            pass

        def submit(self, call, *arguments):
            from concurrent.futures import Future

            done = Future()
            done.set_result(call(*arguments))
            return done

        def shutdown(self, *, cancel_futures):
            pass

    monkeypatch.setattr(pool_room, "ProcessPoolExecutor", Here)
    monkeypatch.setattr(pool_room, "read_training_records", materials)
    with pools_of(training) as take:
        first = take(0)
    assert sorted(path.name for path in training.pools_folder.iterdir()) == [
        "0000.npz", "0001.npz", "drawing.json",
    ]  # fmt: skip
    assert len(first) == 32
    assert 0 < len(first.without(training.without)) < 32
    monkeypatch.setattr(pool_room, "draw_pool", None)
    with pools_of(training) as take:
        np.testing.assert_array_equal(take(0).samples, first.samples)


def test_pools_drawn_otherwise_are_refused(training, monkeypatch):
    monkeypatch.setattr(pool_room, "_draw", None)
    (training.pools_folder).mkdir(parents=True)
    pool_room._claim(training.pools_folder, training)
    with pytest.raises(ConfigError, match="other seed"):
        pool_room._claim(training.pools_folder, replace(training, seed=1))
