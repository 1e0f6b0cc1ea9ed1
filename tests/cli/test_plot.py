"""`zilzal plot`."""

PNG = b"\x89PNG"


def pictures(folder):
    found = sorted(folder.iterdir())
    assert all(path.read_bytes().startswith(PNG) for path in found)
    return [path.name for path in found]


def test_catalogue_and_largest_event_are_drawn(call, short, short_run, tmp_path):
    call(
        "plot", short_run.output, "-i", short.inventory, "-o", tmp_path / "p", "-s",
        short.waveforms,
    )  # fmt: skip
    largest = max(short_run.events, key=lambda event: event.magnitude.magnitude)
    names = pictures(tmp_path / "p")
    assert {"catalogue-map.png", "magnitude-time.png"} < set(names)
    drawn = [name for name in names if name.startswith("zz")]
    assert len(drawn) == 3
    assert all(name.startswith(largest.id) for name in drawn)


def test_run_knows_its_stations_and_waveforms(call, short, tmp_path):
    call(
        "run", short.waveforms, "-i", short.inventory, "-o", tmp_path / "out",
        "--picker", "stalta", "-j", 1,
    )  # fmt: skip
    call("plot", tmp_path / "out", "-o", tmp_path / "p")
    assert sum(name.endswith("-section.png") for name in pictures(tmp_path / "p")) == 1
    said = call("explain", tmp_path / "out", "SY.S01", "2024-03-05T11:58:52")
    assert "SY.S01..HH" in said


def test_event_without_waveforms_is_drawn_as_far_as_can_be(call, short_run, tmp_path):
    said = call("plot", short_run.output, "-o", tmp_path / "p")
    assert "no waveforms found; --source says where they lie" in said
    assert "no stations known; --inventory says where they are described" in said
    assert len(pictures(tmp_path / "p")) == 3


def test_events_are_drawn_by_name(call, short, short_run, tmp_path):
    first = short_run.events[0].id
    call("plot", short_run.output, "-i", short.inventory, "-o", tmp_path / "p", "--event", first)
    assert f"{first}-map.png" in pictures(tmp_path / "p")
    assert len(pictures(tmp_path / "p")) == 3


def test_unknown_event_is_refused(refuse, short, short_run, tmp_path):
    said = refuse("plot", short_run.output, "-i", short.inventory, "-o", tmp_path, "--event", "zz0")
    assert "ConfigError: no event zz0" in said


def test_folder_without_a_run_is_refused(refuse, short, tmp_path):
    said = refuse("plot", tmp_path, "-i", short.inventory, "-o", tmp_path / "p")
    assert "holds no results; name the folder of a run" in said


def test_missing_waveforms_are_refused(refuse, short, short_run, tmp_path):
    said = refuse(
        "plot", short_run.output, "-i", short.inventory, "-o", tmp_path / "p",
        "-s", tmp_path / "none",
    )  # fmt: skip
    assert "ConfigError: cannot read the waveforms: " in said
    assert "no such file or folder" in said
    assert not (tmp_path / "p").exists()
