"""What a monitor's associator learned: before, in a run over an archive, or from its own picks."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from zilzal.app.configuration import Configuration
from zilzal.app.events import LEARNED, LESSON
from zilzal.core.errors import FormatError
from zilzal.core.stage import Associator, LearningAssociator
from zilzal.core.station import Station
from zilzal.io.store import Store

logger = logging.getLogger(__name__)

LESSON_NOTE = "live/lesson"
"""Key of the note of how many picks there are to learn from; empty where nothing lacks."""
LEAST_LESSON = 800
"""Picks without which a monitor does not believe what they teach."""
LEARN_S = 600.0
"""A monitor that has not learned looks so often whether it could."""
LARGEST_TEST = 50_000
"""Picks that an associator looks through for a busy stretch to learn from."""


def settled_associator(
    configuration: Configuration, store: Store, stations: Sequence[Station]
) -> Associator:
    """The associator with what it learned, which is stored where it was not yet."""
    associator, key = configuration.associator, configuration.sha256
    store.put_notes({LESSON_NOTE: {}})
    if not isinstance(associator, LearningAssociator):
        return associator
    if associator.is_settled:
        return associator.settled((), stations)
    kept = store.load_checkpoint(LEARNED, key)
    if kept is not None:
        return associator.remembering(kept.decode())
    lesson = _lesson_file(configuration)
    if lesson.is_file():
        settled = associator.remembering(lesson.read_text(encoding="utf-8"))
    else:
        picks = store.picks(configuration=configuration.picking_sha256)
        if len(picks) < LEAST_LESSON:
            _note(store, len(picks))
            logger.warning(
                "%d picks are too few to learn from how strict to be: the least certain events are "
                "left out until there are %d, or %s, which `zilzal run` writes, in its folder",
                len(picks), LEAST_LESSON, LESSON,
            )  # fmt: skip
            return associator.cautious()
        settled = associator.settled(picks[-LARGEST_TEST:], stations)
    store.save_checkpoint(LEARNED, settled.to_text().encode(), key, done=True)
    return settled


def can_learn(configuration: Configuration, store: Store) -> bool:
    """Whether the associator has not learned, and could by now; notes how far it is from it."""
    associator = configuration.associator
    if not isinstance(associator, LearningAssociator) or associator.is_settled:
        return False
    if store.load_checkpoint(LEARNED, configuration.sha256) is not None:
        return False
    lesson = _lesson_file(configuration)
    if lesson.is_file():
        try:
            associator.remembering(lesson.read_text(encoding="utf-8"))
        except (FormatError, UnicodeDecodeError) as error:
            logger.warning("%s is left out: %s; put another in its place", lesson, error)
            return False
        return True
    count = len(store.picks(configuration=configuration.picking_sha256))
    _note(store, count)
    return count >= LEAST_LESSON


def _lesson_file(configuration: Configuration) -> Path:
    return Path(configuration.live.output) / LESSON


def _note(store: Store, picks: int) -> None:
    store.put_notes({LESSON_NOTE: {"picks": picks, "needed": LEAST_LESSON}})
