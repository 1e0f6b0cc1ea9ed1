"""Lists of picks that were made elsewhere."""

import numpy as np
import pytest

pytest.importorskip("h5py")

from tests.train.made_sets import made_set
from zilzal.core.errors import ConfigError, DataError, FormatError
from zilzal.train.pick_lists import PickList, find_list, read_list
from zilzal.train.protocol import Protocol
from zilzal.train.windows import iterate_cases


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    folder = made_set(tmp_path_factory.mktemp("sets") / "made", n_events=2, n_noise=1)
    return list(iterate_cases([folder], Protocol(placing="several", shifts=2)))


def read(path, text, cases, name="other"):
    path.write_text(text)
    return read_list(PickList(name=name, path=path, thresholds={}), cases)


def test_samples_of_window_and_record_and_times_are_the_same_place(cases, tmp_path):
    case = cases[0]
    sample = 3000
    start = f"2020-01-01T00:00:{sample / 100:09.6f}Z"
    told = {
        "sample": read(tmp_path / "a.csv", f"trace_name,phase,sample\ntrace0,P,{sample}\n", cases),
        "time": read(tmp_path / "b.csv", f"trace_name,phase,time\ntrace0,P,{start}\n", cases),
        "window": read(
            tmp_path / "c.csv",
            "trace_name,phase,window_sample,shift\n"
            f"trace0,P,{sample - case.first},0\ntrace0,P,{sample - cases[1].first},1\n",
            cases,
        ),
    }
    for answers in told.values():
        assert answers.picks["window"].tolist() == [0, 1]
        expected = [(sample - each.first) / 100 for each in cases[:2]]
        np.testing.assert_allclose(answers.picks["time_s"], expected, atol=1e-6)


def test_picks_outside_the_window_are_dropped(cases, tmp_path):
    text = "trace_name,phase,window_sample,shift\ntrace0,P,-5,0\ntrace0,P,6000,0\ntrace0,S,5999,0\n"
    assert read(tmp_path / "a.csv", text, cases).picks["time_s"].tolist() == [59.99]


def test_thresholds_act_on_the_vote_then_the_score_then_the_probability(cases, tmp_path):
    head, line = "trace_name,phase,window_sample", "trace0,P,100"
    vote = read(tmp_path / "a.csv", f"{head},n_families,probability\n{line},4,0.7\n", cases).picks
    assert vote[["output", "probability"]].tolist()[0] == (4, 0.7)
    score = read(tmp_path / "a.csv", f"{head},score\n{line},0.3\n", cases).picks
    assert score[["output", "probability"]].tolist()[0] == (0.3, 0.3)
    plain = read(tmp_path / "a.csv", f"{head}\n{line}\n", cases).picks
    assert plain["output"].tolist()[0] == 1
    assert np.isnan(plain["probability"]).all()


def test_a_ratio_claims_no_probability(cases, tmp_path):
    text = "trace_name,phase,window_sample,score\ntrace0,P,100,15.8\ntrace0,P,900,0.7\n"
    picks = read(tmp_path / "a.csv", text, cases).picks
    assert np.isnan(picks["probability"]).all()
    assert set(picks["output"]) == {15.8, 0.7}


def test_a_folder_has_a_file_a_set(cases, tmp_path):
    text = "trace_name,phase,window_sample\ntrace0,P,100\n"
    (tmp_path / "made__other.csv").write_text(text)
    other = PickList(name="other", path=tmp_path, thresholds={})
    assert len(read_list(other, cases).picks) == 2
    with pytest.raises(DataError, match=r"neither made__third.csv nor made.csv"):
        read_list(PickList(name="third", path=tmp_path, thresholds={}), cases)
    (tmp_path / "made.csv").write_text(text)
    assert len(read_list(PickList(name="third", path=tmp_path, thresholds={}), cases).picks) == 2


def test_a_file_of_several_sets_says_of_which_each_line_is(cases, tmp_path):
    text = "set,trace_name,phase,window_sample\nmade,trace0,P,100\nother,trace0,P,200\n"
    assert set(read(tmp_path / "a.csv", text, cases).picks["time_s"]) == {1.0}


def test_lists_that_say_nothing_or_nonsense_are_refused(cases, tmp_path):
    with pytest.raises(DataError, match="has no picks of other for any of the windows"):
        read(tmp_path / "a.csv", "trace_name,phase,window_sample\nelsewhere,P,1\n", cases)
    with pytest.raises(FormatError, match=r"line 2, column phase: 'Q'"):
        read(tmp_path / "a.csv", "trace_name,phase,window_sample\ntrace0,Q,1\n", cases)
    with pytest.raises(FormatError, match=r"one of the columns window_sample, sample, time"):
        read(tmp_path / "a.csv", "trace_name,phase\ntrace0,P\n", cases)
    with pytest.raises(ConfigError, match="NAME=FILE"):
        find_list("nowhere.csv")
