"""The shipped picker, remade: `python -m zilzal.train.picker --shared ../shared -o DIR`."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from zilzal.train.options import PickerTraining
from zilzal.train.release import Release, release_picker
from zilzal.train.training import TrainedPicker, train_picker

__all__ = ["PickerTraining", "Release", "TrainedPicker", "release_picker", "train_picker"]

logger = logging.getLogger(__name__)


def main() -> None:
    """Train and export, with the options most asked for; `zilzal train picker` has them all."""
    default = PickerTraining(shared=Path(), output=Path())
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--shared", type=Path, required=True, help="folder with data and peers")
    parser.add_argument("-o", "--output", type=Path, required=True, help="checkpoints and result")
    parser.add_argument("--rounds", type=int, default=default.rounds)
    parser.add_argument("--without", default="", help="sets to leave out, joined by commas")
    parser.add_argument("--seed", type=int, default=default.seed)
    parser.add_argument("--threads", type=int, default=default.threads)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    training = PickerTraining(
        shared=arguments.shared,
        output=arguments.output,
        rounds=arguments.rounds,
        without=tuple(name for name in arguments.without.split(",") if name),
        seed=arguments.seed,
        threads=arguments.threads,
    )
    trained = train_picker(training, told=lambda measured: logger.info("%s", measured))
    path = release_picker(trained, Release())
    logger.info("wrote %s", path)


if __name__ == "__main__":
    main()
