"""Write the reference pages that are made from the code: commands and settings.

`python docs/make_reference.py` writes them; a test holds the files to what it would write.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
from pathlib import Path
from typing import Any

import click
import typer.main

HERE = Path(__file__).parent
COMMANDS_INTRODUCTION = """\
Every command explains itself with `--help`. Exit status: 0 done, 1 stopped, or what was checked
failed, 2 an error of the input or the settings, 130 interrupted.
"""
SETTINGS_INTRODUCTION = """\
One TOML file holds all settings; what it leaves out has the value below. Unknown keys and values
out of range are refused before any work, all at once. The settings in force are written beside
every result (`zilzal.toml`), and that file can be used again.

Tables that choose a replaceable part take its name as `use`; the other keys are those of the
chosen part. Tables in double brackets may come many times. `[earth] model` holds for every part
that has a key `earth_model` and does not set it.
"""
TELEMETRY_INTRODUCTION = """\
What `zilzal replay --faults FILE.toml` takes: all that goes wrong between a digitiser and a data
centre, and with its server. Every key may be left out. What is drawn depends on `seed`, the channel
and the time of the record alone: played again, the same goes wrong. How to use it:
[replay](../how-to/replay.md).
"""
RESULTS_INTRODUCTION = """\
Made from `benchmarks/results/*.json`; `python3 dev.py bench` measures again. How to read them, and
what they do not say: [results explained](../explanation/results.md).
"""
F1_COLUMNS = ("P@0.1", "P@0.5", "S@0.1", "S@0.5")
FLAGS = re.DOTALL | re.MULTILINE
NOTE = "<!-- Made by docs/make_reference.py; edit the code, not this page. -->\n"


def commands_page() -> str:
    """Every command with its arguments and options."""
    from zilzal.cli.main import app

    parts = ["# Commands\n", NOTE, COMMANDS_INTRODUCTION]
    parts += [_command(c, path) for path, c in walk(typer.main.get_command(app), "zilzal")]
    return "\n".join(parts)


def walk(command: click.Command, path: str) -> list[tuple[str, click.Command]]:
    """All commands below one, with what is typed to reach them."""
    if isinstance(command, click.Group) or hasattr(command, "commands"):
        return [
            found
            for name, inner in command.commands.items()
            for found in walk(inner, f"{path} {name}")
        ]
    return [(path, command)]


def _command(command: click.Command, path: str) -> str:
    lines = [f"## {path}\n", f"{inspect.cleandoc(command.help or '')}\n"]
    rows = [
        (_usage(p), " ".join((getattr(p, "help", "") or "").split()))
        for p in command.params
        if p.name != "help"
    ]
    if rows:
        lines += ["| argument or option | meaning |", "| --- | --- |"]
        lines += [f"| `{usage}` | {meaning} |" for usage, meaning in rows]
        lines.append("")
    return "\n".join(lines)


def _usage(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return parameter.metavar or parameter.name.upper()
    return ", ".join([*parameter.opts, *parameter.secondary_opts])


def settings_page() -> str:
    """Every table and key of the configuration file."""
    from zilzal.app import registry
    from zilzal.app.configuration import LISTS, PARTS, PLAIN
    from zilzal.core.alert import AlertRule

    parts = ["# Settings\n", NOTE, SETTINGS_INTRODUCTION]
    for name, kind in PLAIN.items():
        parts.append(_table(f"[{name}]", kind))
    for name, (kind, default) in PARTS.items():
        for part in registry.available(kind):
            chosen = " (used unless told otherwise)" if part == default else ""
            parts.append(_table(f'[{name}] use = "{part}"{chosen}', registry.load(kind, part)))
    for name, (kind, default) in LISTS.items():
        for part in registry.available(kind):
            chosen = " (used unless told otherwise)" if part == default else ""
            parts.append(_table(f'[[{name}]] use = "{part}"{chosen}', registry.load(kind, part)))
    parts.append(_table("[alerts.rule], below each [[alerts]]", AlertRule))
    return "\n".join(parts)


def _table(title: str, kind: type, names: tuple[str, ...] = ()) -> str:
    meanings = argument_meanings(kind)
    lines = [f"## {title}\n", f"{(inspect.getdoc(kind) or '').splitlines()[0]}\n"]
    rows = [
        field
        for field in dataclasses.fields(kind)
        if field.init and (not names or field.name in names)
    ]
    if rows:
        lines += ["| key | default | meaning |", "| --- | --- | --- |"]
    for field in rows:
        lines.append(f"| `{field.name}` | {_default(field)} | {meanings.get(field.name, '')} |")
    lines.append("")
    return "\n".join(lines)


def argument_meanings(kind: type) -> dict[str, str]:
    """What the Args section of a docstring says of each field."""
    section = re.search(r"^Args:\n(.*?)(?=^\S|\Z)", inspect.getdoc(kind) or "", FLAGS)
    if section is None:
        return {}
    entries = re.findall(r"^    (\w+): (.*?)(?=^    \w+: |\Z)", section[1], FLAGS)
    return {name: " ".join(text.split()) for name, text in entries}


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default is not dataclasses.MISSING:
        value = field.default
    elif field.default_factory is not dataclasses.MISSING:
        value = field.default_factory()
    else:
        return "required"
    if value is None:
        return "derived or none"
    if dataclasses.is_dataclass(value):
        return "see the reference of the part"
    if isinstance(value, tuple | list) and value and dataclasses.is_dataclass(value[0]):
        return f"{len(value)} entries"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"`{text}`" if text else "empty"


def telemetry_page() -> str:
    """Every table and key of a file of faults."""
    from zilzal.synth import telemetry

    parts = ["# Faults of telemetry\n", NOTE, TELEMETRY_INTRODUCTION]
    parts.append(_table("At the top", telemetry.TelemetryPlan, names=("seed",)))
    parts += [_table(f"[[{name}]]", kind) for name, kind in telemetry.LISTS.items()]
    return "\n".join(parts)


def results_page() -> str:
    """What the benchmarks measured."""
    return "\n".join(
        [
            "# Results\n",
            NOTE,
            RESULTS_INTRODUCTION,
            *_archives(),
            *_association(),
            *_pickers(),
            *_speed(),
            *_gate(),
            *_live(),
            *_console(),
            *_scale_out(),
            *_imported(),
        ]
    )


def _load(name: str) -> dict[str, Any]:
    path = HERE.parent / "benchmarks" / "results" / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8"))


def _archives() -> list[str]:
    lines = [
        "## Archives\n",
        "| picker | earth | found of 26 | further events | epicentre [km] | depth [km] | time [s] "
        "| magnitude | seconds |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    results = _load("archive_skill")["results"]
    for result in results:
        found = result.get("against_reviewed")
        if found:
            earth = result["changes"].get("earth", {}).get("model", "ak135")
            lines.append(
                f"| {result['picker']} | {earth} | {found['found']} | {found['extra']} "
                f"| {found['median_epicentral_km']:.2f} | {found['median_absolute_depth_km']:.1f} "
                f"| {found['median_absolute_time_s']:.2f} "
                f"| {found['median_absolute_magnitude']:.2f} | {result['seconds']:.0f} |"
            )
    lines += [
        "\nDifferences are medians of absolute values over the events found.\n",
        "The quiet day; consensus arrivals are those on which published pickers agree, clean spans "
        "those in which two of them find nothing.\n",
        "| picker | P, S per station-day | events | consensus arrivals found within 0.5 s "
        "| P, S per station-day of clean spans |",
        "| --- | --- | --- | --- | --- |",
    ]
    for result in results:
        if "against_reviewed" not in result:
            days = result["station_hours"] / 24
            picks, held = result["picks"], result["against_consensus"]
            found, arrivals = (sum(held[name].values()) for name in ("found", "arrivals"))
            clean_days = held["clean_station_hours"] / 24
            clean = [number / clean_days for number in held["picks_in_clean_spans"].values()]
            lines.append(
                f"| {result['picker']} | {picks['P'] / days:.0f}, {picks['S'] / days:.0f} "
                f"| {result['events']} | {found} of {arrivals} | {clean[0]:.0f}, {clean[1]:.0f} |"
            )
    return [*lines, ""]


def _association() -> list[str]:
    rows = _load("association")["results"]
    lines = [
        "## Association\n",
        "Synthetic sequences whose sources are known, defaults (`benchmarks/association.py`). An "
        "event can be found that has five picks or more; false groups have no event of which more "
        "than half of their picks are.\n",
        "| sequence | associator | picks | found | of | false | doubles | right picks | CPU [s] |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {row['scene']}, seed {row['seed']} | {row['associator']} | {row['picks']} "
        f"| {row['found']} | {row['can_be_found']} | {row['false']} | {row['doubles']} "
        f"| {row['right_picks']:.3f} | {row['cpu_s']:.1f} |"
        for row in rows
    ]
    return [*lines, ""]


def _pickers() -> list[str]:
    lines = ["## Pickers\n"]
    for title, name in (
        ("Development records of the training's own sets", "picker_skill"),
        ("California and toc2me held out of a shorter training", "picker_skill_heldout"),
        ("Each set picked by a network that has not seen it", "picker_skill_crossed"),
    ):
        lines += [
            f"{title}:\n",
            "| picker | P 0.1 s | P 0.5 s | S 0.1 s | S 0.5 s | P, S per hour of noise |",
            "| --- | --- | --- | --- | --- | --- |",
        ]
        for picker, score in _load(name)["skill"].items():
            pooled = score["pooled"]
            cells = [f"{pooled[key]['f1']['value']:.3f}" for key in F1_COLUMNS]
            noise = [pooled.get(f"{phase} per noise hour") for phase in "PS"]
            told = ", ".join("-" if rate is None else f"{rate:.1f}" for rate in noise)
            lines.append(f"| {picker} | {' | '.join(cells)} | {told} |")
        lines.append("")
    return lines


def _speed() -> list[str]:
    """Whole chains beside published ones, and our stages one by one."""
    speed = _load("throughput")
    before, after = speed["load_average"]
    lines = [
        "## Speed\n",
        "From Steim-2 files to picks, a station-day (three components, 100 Hz), one thread: "
        f"medians of {speed['runs']} rounds in which all were called in turn, load average "
        f"{before:.0f} to {after:.0f}. CPU seconds and ratios within a round tell more than wall "
        "time.\n",
        "| who | CPU [s] | wall [s] | times ours, CPU | station-days an hour: one process | two "
        "| peak memory [MB] |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, row in speed["contenders"].items():
        one, two = row["station_days_per_hour"].values()
        lines.append(
            f"| {name} | {row['cpu_s']['median']:.2f} | {row['wall_s']['median']:.2f} "
            f"| {row['times_ours_cpu']['median']:.1f} | {one:.0f} | {two:.0f} "
            f"| {row['peak_memory_mb']:.0f} |"
        )
    lines += ["\n| stage | CPU [s] | wall [s] |", "| --- | --- | --- |"]
    lines += [
        f"| {name} | {row['cpu_s']['median']:.2f} | {row['wall_s']['median']:.2f} |"
        for name, row in speed["stages"].items()
    ]
    memory = ", ".join(f"{name} {mb:.0f} MB" for name, mb in speed["peak_memory_mb"].items())
    return [*lines, f"\nPeak memory of picking: {memory}.\n"]


def _scale_out() -> list[str]:
    """Who picks how fast, what it costs, and what that makes of a large archive."""
    told = _load("scale_out")
    rates, sizes, store = told["rates"], told["sizes"], told["store"]
    lines = [
        "## Scale-out\n",
        f"A synthetic archive of {rates['station_days']:.0f} station-days, in turn by each; "
        f"medians of {told['runs']} runs on {told['cores']} cores that had other work too (load "
        f"average {told['load_average']:.0f}), so that CPU seconds tell more than station-days "
        "per hour.\n",
        "| who | station-days per hour | CPU per station-day [s] | of it the driver's | driver's "
        "CPU per empty job [ms] |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, crew in rates["crews"].items():
        one = crew["per_station_day"]
        lines.append(
            f"| {name} | {crew['station_days_per_hour']['median']:.0f} "
            f"| {one['cpu_s']['median']:.2f} | {one['driver_cpu_s']['median']:.3f} "
            f"| {1e3 * crew['per_empty_job']['driver_cpu_s']['median']:.1f} |"
        )
    lines += [
        "\nFor this process the driver is the worker, too.\n",
        "| what | cost |",
        "| --- | --- |",
        f"| waveforms of a station-day | {sizes['waveform_bytes'] / 1e6:.1f} MB |",
        f"| job with its state, and result | {sizes['job_bytes'] / 1e3:.0f} and "
        f"{sizes['result_bytes'] / 1e3:.0f} kB |",
        f"| results of a job into SQLite | {1e3 * store['cpu_s_per_job']:.0f} ms |",
        f"| a pick, a detection in SQLite | {store['bytes_per_pick']:.0f} and "
        f"{store['bytes_per_detection']:.0f} bytes |",
        f"| a pick in memory | {store['memory_bytes_per_pick']:.0f} bytes |",
        f"| headers of a file | {1e3 * told['scan_cpu_s_per_file']:.1f} ms |",
        f"| association and location, a pick | "
        f"{1e3 * told['events']['solving_cpu_s_per_pick']:.1f} ms |",
        f"| magnitude and type, an event | {told['events']['measuring_cpu_s_per_event']:.2f} s |",
        "",
        *_estimate(told["estimate"]),
    ]
    return lines


def _estimate(made: dict[str, Any]) -> list[str]:
    """A large archive on paper."""
    assumed, store = made["assumed"], made["store_gib"]
    hours = made["picking_hours_by_workers"]
    return [
        f"On paper, from these figures: {assumed['stations']} stations for {assumed['years']} "
        f"years with {assumed['picks_per_station_day']} picks a station-day and "
        f"{assumed['events_per_day']} events a day.\n",
        "| what | estimate |",
        "| --- | --- |",
        f"| station-days | {made['station_days'] / 1e6:.2f} million |",
        f"| picking, one core | {made['picking_core_days']:.0f} days |",
        *(f"| picking, {n} workers | {_duration(hours[str(n)])} |" for n in assumed["workers"]),
        f"| results that the driver takes | {made['driver_jobs_per_second']:.0f} per second |",
        f"| reading all headers, in the driver | {_duration(made['scan_hours'])} |",
        f"| association and location, in the driver | {_duration(made['associating_hours'])} |",
        f"| magnitudes and types, one core | {made['measuring_core_days']:.0f} days |",
        f"| picks in memory, a month | {made['memory_gib_per_month']:.1f} GiB |",
        f"| read from the archive | {made['waveforms_tib']:.0f} TiB |",
        f"| jobs and results over the network | {made['network_tib']:.1f} TiB |",
        *(f"| {name} in the store | {size:.0f} GiB |" for name, size in store.items()),
        "",
    ]


def _duration(hours: float) -> str:
    return f"{hours:.0f} hours" if hours < 72 else f"{hours / 24:.0f} days"


def _gate() -> list[str]:
    measured = _load("gate")
    lines = [
        "## Gate\n",
        "What the [gate before the network](../decisions/0008-a-gate-before-the-network.md) saves "
        f"and loses, {measured['model']} (`benchmarks/gate.py`). The network is run on a share of "
        "the samples, its surroundings included; multiply-adds are those of the gate and of that "
        "share, per 3001 samples (PhaseNet: 19.5 million). Lost are picks that the network alone "
        "makes; the ratio of processor times is of the whole way from Steim-2 to picks.\n",
        "| data | station-days | network run on | million multiply-adds | PhaseNet to this | picks "
        "| lost | CPU, to the network alone |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {row['name']} | {row['station_days']:.2f} | {row['share_of_samples_run']:.1%} "
        f"| {row['million_multiply_adds_per_3001']:.1f} | {row['phasenet_to_ours']:.1f} "
        f"| {row['picks_everywhere']} | {row['picks_lost']} "
        f"| {row['cpu_ratio_gated_to_everywhere']:.2f} |"
        for row in measured["results"]
    ]
    return [*lines, ""]


def _live() -> list[str]:
    killed, network = _load("kill_test"), _load("live_network")
    done = [kill["records_done"] for kill in killed["killed_at"]]
    events_first = sum(kill["events_first"] for kill in killed["killed_at"])
    compared, differing = _compared(killed["tables"])
    lines = [
        "## Live\n",
        f"The Ridgecrest hour played to `zilzal monitor` ({killed['picker']} picker, events in a "
        f"process of their own), which was killed {killed['kills']} times at seeded random "
        f"instants (between {min(done):,} and {max(done):,} of {killed['records']:,} records; "
        f"{events_first} times its process for events went first): of {compared:,} rows of picks, "
        f"arrivals, events and coverage {differing} differ from those of a monitor that was left "
        f"alone; {killed['doubled']['picks']} picks and {killed['doubled']['origins']} origins "
        "are there twice.\n",
        *_live_equals_run(),
        "A whole monitor on synthetic networks at 100 Hz, played in real time by the clock on the "
        "wall, on all cores of the machine. Counted after a minute, in which all stations began; "
        "the cores include the work of the end, when all is made final at once; memory is the "
        "most that both processes had at one time, pages that they share counted once. From the "
        "packet with which the network has the 5.5 s after an onset that it looks at to the pick; "
        "from the last pick of an event's first version to that version, event by event.\n",
        "| stations | clock | cores | data [s] | cores used | packet to pick [s], "
        "50 and 95 % | last pick to event [s] | memory [MB] |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for run in network["runs"]:
        spans = run["packet_to_pick_beyond_lookahead_s"]
        events = ", ".join(f"{each['last']:.1f}" for each in run["last_pick_told_to_event_s"])
        lines.append(
            f"| {run['stations']:,} | {run['clock']} | {run['cores_of_the_clock']} "
            f"| {run['data_s']} "
            f"| {run['cores']:.2f} | {spans['0.5']:.1f}, {spans['0.95']:.1f} | {events} "
            f"| {run['peak_memory_shared_once_mb']:,} |"
        )
    return [*lines, ""]


def _compared(tables: dict[str, dict[str, int]]) -> tuple[int, int]:
    """Rows of the one side, and rows that one of the two has alone."""
    rows = [row for table in tables.values() for row in table.items()]
    differing = sum(number for name, number in rows if name.startswith("only_"))
    return sum(number for name, number in rows if name == "run"), differing


def _live_equals_run() -> list[str]:
    lines: list[str] = []
    for picker, told in _load("live_equals_run").items():
        for way, played in told["live"].items():
            compared, differing = _compared(played["tables"])
            lines.append(
                f"The same hour live through SeedLink, {way} ({picker} picker), against "
                f"`zilzal run` on the files: of {compared:,} rows {differing} differ.\n"
            )
    return lines


def _console() -> list[str]:
    measured = _load("console")
    live, screen = measured["live"], measured["screen"]
    opened = (
        ("paint", "Now, first text on the screen", "first_paint_ms"),
        ("paint", "Now, the latest events", "events_ms"),
        ("paint", "Now, the map", "map_ms"),
        ("catalogue", "Catalogue, first rows", "rows_ms"),
        ("catalogue", "Catalogue, figures", "figures_ms"),
        ("catalogue", "Catalogue, map", "map_ms"),
        ("catalogue", "Catalogue, from a page of rows to the next", "next_page_ms"),
    )
    rows = [
        f"| {what} | {time['median'] / 1e3:.2f} | {time['worst'] / 1e3:.2f} "
        f"| {_load_of(measured[part])} |"
        for part, what, key in opened
        if (time := measured.get(part, {}).get(key))
    ]
    table = [
        "From the request on, nothing in the cache, 100,000 events in the store; "
        f"{measured['runs']} openings each:\n",
        "| what | median [s] | worst [s] | load average |",
        "| --- | --- | --- | --- |",
        *rows,
        "",
    ]
    return [
        "## Console\n",
        f"Chromium {measured['chromium']}, {screen['width']} by {screen['height']} pixels, without "
        f"a graphics card, {measured['cores_of_the_machine']} cores (`benchmarks/console.py`).\n",
        f"{live['traces']} live traces with the network's curves, picks, the map and the list take "
        f"{live['core_share']:.1%} of a core, all of Chromium's processes together, over "
        f"{live['seconds']:.0f} s ({live['frames_per_s']:.1f} drawings a second of "
        f"{live['wanted_frames_per_s']:.0f} wanted, load average {_load_of(live)}).\n",
        *(table if rows else []),
    ]


def _load_of(part: dict[str, Any]) -> str:
    before, after = part["load_average"]
    return f"{before:.0f} to {after:.0f}"


def _imported() -> list[str]:
    measured = _load("imported_models")
    lines = [
        "## Imported networks\n",
        f"Networks of SeisBench's by its own `classify` and, imported, by our picker, on the same "
        f"records ({len(measured['sensors'])} sensors, {measured['minutes']:g} minutes each) from "
        f"samples in memory to picks. Processor seconds per station-day of one thread, median of "
        f"{measured['runs']} runs in turn, load average {measured['load_average']:.1f}. Same: "
        f"within a sample and 0.001 in probability.\n",
        "| network | by | s per station-day | times as quick | same picks | within 0.03 s |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for network, result in measured["results"].items():
        for name, row in result["seconds_per_station_day"].items():
            picks = result["picks"].get(name)
            batch = f" ({result['best_batch']})" if name == "seisbench, best batch" else ""
            same, near = "", ""
            if picks:
                same = f"{picks['same_within_a_sample_and_0.001']} of {picks['seisbench']}"
                near = f"{picks['within_0.03_s'] / picks['seisbench']:.1%}"
            lines.append(
                f"| {network} | {name}{batch} | {row['cpu_s']['median']:.1f} "
                f"| {row['times_as_quick_as_default']:.1f} | {same} | {near} |"
            )
    return [*lines, ""]


PAGES = {
    "reference/commands.md": commands_page,
    "reference/settings.md": settings_page,
    "reference/telemetry.md": telemetry_page,
    "reference/results.md": results_page,
}


if __name__ == "__main__":
    for name, make in PAGES.items():
        (HERE / name).write_text(make(), encoding="utf-8")
