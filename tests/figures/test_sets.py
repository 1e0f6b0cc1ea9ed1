"""Figures of sets show what the set says; what they look like is for eyes."""

import numpy as np
import pytest

from zilzal.core.pick import Phase, Polarity
from zilzal.figures.sets import distributions_figure, examples_figure
from zilzal.figures.style import PHASE_COLOURS, save_figure
from zilzal.train.record import Coda, Onset, Record, Unknown

pytest.importorskip("h5py")


def record(**more):
    samples = np.random.default_rng(0).normal(size=(3, 3_000)).astype(np.float32)
    present = np.ones((3, 3_000), bool)
    present[0, 100:200] = False
    present[2] = False
    return Record(
        name="x", source="set", event="e", split="train", kind="earthquake", sampling_rate=100.0,
        samples=samples, present=present, **more,
    )  # fmt: skip


def labelled():
    return record(
        onsets=(
            Onset(phase=Phase.P, sample=500, polarity=Polarity.NEGATIVE),
            Onset(phase=Phase.S, sample=900, weight=0.2),
        ),
        unknown=(Unknown(phase=Phase.S, first=2_000, last=2_500),),
        codas=(Coda(first=500, last=1_500),),
    )


def test_labels_are_drawn_where_they_are(tmp_path):
    figure = examples_figure([labelled(), record()], ["one", "other"], title="a set")
    axes, other = figure.axes[:2]
    lines = {line.get_xdata()[0]: line for line in axes.lines if line.get_xdata()[0] in (5, 9)}
    # The coda's bar begins at the P as well; the P's line goes from bottom to top.
    assert lines[9].get_color() == PHASE_COLOURS["S"]
    assert lines[9].get_linestyle() == ":"
    assert any(
        line.get_color() == PHASE_COLOURS["P"] and list(line.get_xdata()) == [5, 5]
        for line in axes.lines
    )
    assert [text.get_text() for text in axes.texts] == ["▼"]
    assert axes.get_title(loc="left") == "one"
    assert not other.texts
    assert [text.get_text() for text in figure.legends[0].texts] == [
        "P", "S", "of little weight", "S unknown", "coda",
    ]  # fmt: skip
    assert save_figure(figure, tmp_path / "a.png").stat().st_size > 10_000


def test_gaps_and_absent_components_are_not_drawn_as_signal():
    axes = examples_figure([record()], ["one"]).axes[0]
    vertical, north, absent = axes.lines[:3]
    assert np.isnan(vertical.get_ydata()).sum() == 100
    assert not np.isnan(north.get_ydata()).any()
    assert absent.get_linestyle() == ":"
    assert len(absent.get_xdata()) == 2


def test_one_label_less_record_needs_no_legend():
    assert examples_figure([record()], ["one"]).legends == []


def test_distributions_say_what_is_known_and_what_is_not(tmp_path):
    from tests.train.sets.made import small_set
    from zilzal.train.sets.survey import survey

    rows = [
        {"trace_p_arrival_sample": str(50 + n), "trace_s_arrival_sample": "200", "split": "train",
         "trace_p_status": "manual", "source_id": "e", "trace_sampling_rate_hz": f"{50 + n}.0"}
        for n in range(9)
    ]  # fmt: skip
    figure = distributions_figure(survey(small_set(tmp_path / "set", rows)))
    texts = {axes.get_title(loc="left"): [t.get_text() for t in axes.texts] for axes in figure.axes}
    assert texts["epicentral distance"] == ["not known"]
    assert texts["S − P"][0].startswith("median 2.7 s\n9 known")
    assert texts["traces"] == [" 9", " 0", " 9"]
    assert texts["labels"] == [" 9", " 9"]
    # The commonest six rates, and the others together.
    assert len(texts["sampling rate"]) == 7
    assert texts["sampling rate"][-1] == " 3"
    assert save_figure(figure, tmp_path / "b.png").stat().st_size > 10_000
