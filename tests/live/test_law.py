"""Law 1: a monitor ends with the picks and events of a run over the files."""

import re

import pytest

from tests.live.network import Played, play, play_through_server, run, settings
from zilzal.app.archive import catalogue_of
from zilzal.app.synthetic import Synthetic
from zilzal.io.store import Store
from zilzal.synth.telemetry import LinkPlan, OutagePlan, TelemetryPlan


def assert_equal(played: Played, ran: Played) -> None:
    for name, table in ran.tables.items():
        assert played.tables[name] == table, name


def event_ids(played: Played) -> list[str]:
    return re.findall(r"'event_id': '(\w+)'", played.tables["catalogue.csv"])


def test_run_finds_both_events(ran):
    assert ran.tables["catalogue.csv"].count("event_id") == 2


def station_types(played: Played) -> dict[str, object]:
    """Of the events of the catalogue: a busy monitor may have had one it has retracted since."""
    with Store.open(played.output / "zilzal.db", create=False) as store:
        return {e.id: e.classification and e.classification.station_classifications
                for e in catalogue_of(store.events().events)}  # fmt: skip


def test_playback_gives_the_tables_of_a_run(made, ran, tmp_path):
    played = play(made, tmp_path, settings())
    assert_equal(played, ran)
    assert sorted(station_types(ran)) == sorted(event_ids(ran))
    assert all(station_types(ran).values())
    assert station_types(played) == station_types(ran)


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


@pytest.mark.parametrize("min_picks", [5, None])
def test_ids_do_not_depend_on_how_strict_the_catalogue_is(made, ran, tmp_path, min_picks):
    played = play(made, tmp_path, settings(min_picks=min_picks))
    assert set(event_ids(ran)) <= set(event_ids(played))
    assert len(event_ids(ran)) == 2


@pytest.fixture(scope="session")
def neural_run(made: Synthetic, tmp_path_factory: pytest.TempPathFactory) -> Played:
    return run(made, tmp_path_factory.mktemp("live-neural") / "out", settings("neural"))


def test_neural_playback_gives_the_tables_of_a_run(made, neural_run, tmp_path):
    assert neural_run.tables["picks.csv"].count("neural") > 20
    assert neural_run.tables["catalogue.csv"].count("event_id") == 2
    assert_equal(play(made, tmp_path, settings("neural")), neural_run)


def test_neural_replay_out_of_order_gives_picks_and_events_of_a_run(made, neural_run, tmp_path):
    plan = TelemetryPlan(
        seed=5,
        links=(
            LinkPlan(stations="SY_S03", delay_s=40.0),
            LinkPlan(disorder=0.2, disorder_s=5.0, jitter_s=1.0, duplication=0.05),
        ),
    )
    live = play_through_server(made, tmp_path, settings("neural"), plan)
    # The ledger of a live run tells of repeats as well.
    assert "overlap" in live.tables["coverage.csv"]
    for name in ("picks.csv", "catalogue.csv", "arrivals.csv"):
        assert live.tables[name] == neural_run.tables[name], name
