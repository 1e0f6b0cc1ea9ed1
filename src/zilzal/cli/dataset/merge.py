"""`zilzal dataset merge`: several sets to one."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from zilzal.cli.dataset import words
from zilzal.cli.progress import showing


def merge(
    folders: words.SetFolders,
    *,
    output: words.NewFolder,
    keep_repeats: Annotated[
        bool, typer.Option("--keep-repeats", help="Take equal waveforms again.")
    ] = False,
) -> None:
    """Join sets. Each trace keeps its samples, rate and labels; trace_set says where it is from.

    Of equal waveforms the first is taken. The splits of the sets are kept: they may leak now, see
    check and split.
    """
    from zilzal.train.seisbench_format import read_metadata
    from zilzal.train.sets.leakage import find_leaks
    from zilzal.train.sets.merge import merge_sets
    from zilzal.train.sets.moments import moments

    words.need_h5py()
    with showing(Console(stderr=True)) as report:
        merged = merge_sets(folders, output, keep_repeats=keep_repeats, told=report)
    console = Console()
    parts = ", ".join(f"{name} {count}" for name, count in merged.counts.items())
    console.print(
        f"{sum(merged.counts.values())} traces ({parts}): {output}",
        markup=False, highlight=False, soft_wrap=True,
    )  # fmt: skip
    words.show_tally(console, merged.tally, title="left out or renamed")
    leaks = find_leaks(moments(read_metadata(output)))
    if leaks:
        console.print(
            f"splits of the sets leak into each other ({len(leaks)} cases): divide the new set "
            f"with zilzal dataset split {output}",
            style="yellow", markup=False, highlight=False, soft_wrap=True,
        )  # fmt: skip
