"""What a monitor's associator learned: before, in a run over an archive, or from its own picks."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from zilzal.app.configuration import Configuration
from zilzal.app.events import LEARNED, LEAST_LESSON, LESSON
from zilzal.core.stage import Associator, LearningAssociator
from zilzal.core.station import Station
from zilzal.io.store import Store

logger = logging.getLogger(__name__)

LARGEST_TEST = 50_000
"""Picks that an associator looks through for a busy stretch to learn from."""


def settled_associator(
    configuration: Configuration, store: Store, stations: Sequence[Station]
) -> Associator:
    """The associator with what it learned, which is stored where it was not yet."""
    associator, key = configuration.associator, configuration.sha256
    if not isinstance(associator, LearningAssociator):
        return associator
    if associator.is_settled:
        return associator.settled((), stations)
    kept = store.load_checkpoint(LEARNED, key)
    if kept is not None:
        return associator.remembering(kept.decode())
    lesson = Path(configuration.live.output) / LESSON
    if lesson.is_file():
        settled = associator.remembering(lesson.read_text(encoding="utf-8"))
    else:
        picks = store.picks(configuration=configuration.picking_sha256)
        if len(picks) < LEAST_LESSON:
            logger.warning(
                "there are too few picks to learn from how strict to be: events must be "
                "certain until the monitor is started with %d picks in its store, or with %s, "
                "which `zilzal run` writes, in its folder",
                LEAST_LESSON, LESSON,
            )  # fmt: skip
            return associator.cautious()
        settled = associator.settled(picks[-LARGEST_TEST:], stations)
    store.save_checkpoint(LEARNED, settled.to_text().encode(), key, done=True)
    return settled
