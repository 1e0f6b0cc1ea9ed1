"""Law 1: a monitor ends with the picks and events of a run over the files."""

import pytest

from tests.live.network import Played, play, play_through_server, run, settings
from zilzal.synth.telemetry import LinkPlan, OutagePlan, TelemetryPlan


def assert_equal(played: Played, ran: Played) -> None:
    for name, table in ran.tables.items():
        assert played.tables[name] == table, name


def test_run_finds_both_events(ran):
    assert ran.tables["catalogue.csv"].count("event_id") == 2


def test_playback_gives_the_tables_of_a_run(made, ran, tmp_path):
    assert_equal(play(made, tmp_path, settings()), ran)


def test_neural_playback_gives_the_tables_of_a_run(made, tmp_path):
    configuration = settings("neural")
    ran = run(made, tmp_path / "run", configuration)
    assert ran.tables["picks.csv"].count("neural") > 20
    assert_equal(play(made, tmp_path / "live", configuration), ran)


PLANS = {
    "in_order": TelemetryPlan(),
    "out_of_order": TelemetryPlan(
        seed=3, links=(LinkPlan(disorder=0.3, disorder_s=6.0, duplication=0.1),)
    ),
    "stations_late": TelemetryPlan(
        seed=4,
        links=(LinkPlan(stations="SY_S02", delay_s=90.0), LinkPlan(jitter_s=2.0)),
        outages=(OutagePlan(stations="SY_S04", after_s=40.0, duration_s=120.0),),
    ),
}


@pytest.mark.parametrize("plan", PLANS)
def test_replay_through_seedlink_gives_the_tables_of_a_run(made, ran, tmp_path, plan):
    live = play_through_server(made, tmp_path, settings(), PLANS[plan]).tables
    archive = dict(ran.tables)
    if plan == "out_of_order":
        # Repeats are told on top of what a run over the files tells.
        assert "overlap" in live.pop("coverage.csv")
        archive.pop("coverage.csv")
    assert live == archive
