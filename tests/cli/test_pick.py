"""`zilzal pick`."""

from zilzal.io.tables import read_picks


def test_picks_are_written_without_an_inventory(call, short, tmp_path):
    said = call("pick", short.waveforms, "-o", tmp_path / "p.csv", "--picker", "stalta", "-j", 1)
    picks = list(read_picks(tmp_path / "p.csv"))
    assert f"{len(picks)} picks on 6 sensors in 0.3 station-hours" in said
    assert {pick.channel_id.station for pick, _ in picks} == {f"S0{n}" for n in range(1, 7)}


def test_inventory_is_taken_for_orientations(call, short, short_run, tmp_path):
    call(
        "pick", short.waveforms, "-o", tmp_path / "p.csv", "-i", short.inventory,
        "--picker", "stalta", "-j", 1,
    )  # fmt: skip
    assert len(list(read_picks(tmp_path / "p.csv"))) == len(short_run.picks)


def test_missing_waveforms_are_refused(refuse, tmp_path):
    said = refuse("pick", tmp_path / "none", "-o", tmp_path / "p.csv")
    assert "SourceError: " in said
    assert "no such file or folder" in said


def test_unknown_picker_is_refused(refuse, short, tmp_path):
    said = refuse("pick", short.waveforms, "-o", tmp_path / "p.csv", "--picker", "ear")
    assert "no part named 'ear' among pickers; installed are: neural, stalta" in said


def test_name_of_the_store_is_refused(refuse, short, tmp_path):
    said = refuse("pick", short.waveforms, "-o", tmp_path / "p.db", "--picker", "stalta")
    assert "StoreError: " in said
