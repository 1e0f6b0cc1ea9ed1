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
            *_pickers(),
            *_speed(),
            *_live(),
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
        "| picker | P per station-day | S per station-day | events per day |",
        "| --- | --- | --- | --- |",
    ]
    for result in results:
        if "against_reviewed" not in result:
            days = result["station_hours"] / 24
            picks = result["picks"]
            lines.append(
                f"| {result['picker']} | {picks['P'] / days:.0f} | {picks['S'] / days:.0f} "
                f"| {result['events']} |"
            )
    return [*lines, ""]


def _pickers() -> list[str]:
    lines = ["## Pickers\n"]
    for title, name in (
        ("Development records of the training's own sets", "picker_skill"),
        ("Whole sets held out of the training (a shorter one)", "picker_skill_heldout"),
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
    speed = _load("throughput")
    lines = [
        "## Speed\n",
        f"Seconds per station-day (three components, 100 Hz, Steim-2), one thread: median of "
        f"{speed['runs']} runs, load average {speed['load_average']:.1f}.\n",
        "| stage | wall | CPU |",
        "| --- | --- | --- |",
    ]
    lines += [
        f"| {name} | {row['wall_s']['median']:.2f} | {row['cpu_s']['median']:.2f} |"
        for name, row in speed["seconds_per_station_day"].items()
    ]
    return [*lines, ""]


def _live() -> list[str]:
    killed, network = _load("kill_test"), _load("live_network")
    done = killed["records_done_at_kills"]
    rows = [row for table in killed["tables"].values() for row in table.items()]
    differing = sum(number for name, number in rows if name.startswith("only_"))
    compared = sum(number for name, number in rows if name == "run")
    lines = [
        "## Live\n",
        f"The Ridgecrest hour played to `zilzal monitor` ({killed['picker']} picker), which was "
        f"killed {killed['kills']} times at seeded random instants (between {min(done):,} and "
        f"{max(done):,} of {killed['records']:,} records): of {compared:,} rows of picks, "
        f"arrivals, events and coverage {differing} differ from those of a monitor that was left "
        "alone.\n",
        "A whole monitor on synthetic networks at 100 Hz, played in real time by a clock of "
        "processor time, as on one core that does nothing else; tables of travel times filled "
        f"before, {network['picker']} picker, "
        + (
            "counted after a minute in which all stations began.\n"
            if all("warm_after_s" in run for run in network["runs"])
            else "the first minute included, in which stations begin one by one and the "
            "associator learns the network anew each time.\n"
        ),
        "| stations | data [s] | events | cores | records a round, median and largest "
        "| onset to pick [s], 50 and 95 % | last pick to event [s], 50 and 95 % | memory [MB] |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for run in network["runs"]:
        pick, event = (_latency(run, text) for text in ("its first pick", "its first version"))
        waited = run["records_a_round"]
        lines.append(
            f"| {run['stations']:,} | {run['data_s']} | {run['events']} | {run['cores']:.2f} "
            f"| {waited['median']}, {waited['largest']} | {pick} | {event} "
            f"| {run['peak_memory_mb']:,} |"
        )
    return [*lines, ""]


def _latency(run: dict[str, Any], text: str) -> str:
    found = [spans for name, spans in run["latency_s"].items() if name.endswith(text)]
    return ", ".join(f"{found[0][share]:.1f}" for share in ("0.5", "0.95")) if found else ""


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
