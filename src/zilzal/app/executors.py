"""Who does the jobs of a run, as its settings say."""

from __future__ import annotations

import os
import pickle
from collections.abc import Generator
from contextlib import contextmanager

from zilzal.app.child import Outfit
from zilzal.app.credentials import Credentials
from zilzal.app.execution import Executor, Inline
from zilzal.app.picking import Workshop
from zilzal.app.processes import Processes
from zilzal.app.progress import Report, keep_quiet
from zilzal.core.errors import ClusterError


@contextmanager
def open_executor(
    workshop: Workshop, sensors: int, report: Report = keep_quiet
) -> Generator[Executor]:
    """This process, processes of this machine, or a cluster.

    Args:
        workshop: what the jobs need.
        sensors: that are to be picked; more processes would have nothing to do.
        report: told of the cluster.

    Raises:
        ClusterError: the cluster cannot be reached, or its workers cannot do this run.
    """
    run = workshop.configuration.run
    if run.cluster:
        try:
            from zilzal.app.cluster import connect
        except ImportError as error:
            raise ClusterError(
                "a cluster needs Dask; install it with: pip install 'zilzal[cluster]'"
            ) from error
        with connect(outfit_of(workshop), run, report) as executor:
            yield executor
        return
    workers = min(run.workers or os.cpu_count() or 1, sensors)
    if workers <= 1:
        yield Inline(workshop)
        return
    with Processes(outfit_of(workshop), workers) as executor:
        yield executor


def outfit_of(workshop: Workshop) -> Outfit:
    """What another process needs to do this run's jobs."""
    return Outfit(
        credentials=Credentials.of(workshop.configuration, workshop.archive),
        workshop=pickle.dumps(workshop.light()),
        timeout_s=workshop.configuration.run.timeout_s,
    )
