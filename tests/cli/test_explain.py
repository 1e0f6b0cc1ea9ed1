"""`zilzal explain`."""


def test_member_of_an_event_is_explained(call, short, short_run):
    event = short_run.events[0]
    pick = event.picks[0]
    said = call(
        "explain", short_run.output, pick.channel_id.station_id, pick.time, "-i", short.inventory
    )
    assert f"{pick.phase} at {pick.channel_id}, {pick.time}, probability" in said
    assert "residual [s]" in said
    assert str(event.time) in said


def test_station_without_picks_is_refused(refuse, short, short_run):
    said = refuse(
        "explain", short_run.output, "SY.S99", "2024-03-05T11:59:00", "-i", short.inventory
    )
    assert "ConfigError: SY.S99 has no pick within 30 s of 2024-03-05T11:59:00.000000Z" in said


def test_what_is_no_time_is_refused(refuse, short, short_run):
    said = refuse("explain", short_run.output, "SY.S01", "noon", "-i", short.inventory)
    assert "FormatError: not a UTC time: 'noon'" in said


def test_stations_that_nobody_knows_are_asked_for(refuse, short_run):
    said = refuse("explain", short_run.output, "SY.S01", "2024-03-05T11:58:52")
    assert "does not know where its stations are described; give --inventory" in said
