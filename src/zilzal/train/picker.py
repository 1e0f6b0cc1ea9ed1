"""The picker's training: options, training, ensembles, release; what `zilzal train` runs."""

from zilzal.train.ensemble import ensemble_of, trained_ensemble
from zilzal.train.options import PickerTraining
from zilzal.train.release import Release, release_of, release_picker
from zilzal.train.start import gentle_options
from zilzal.train.training import TrainedPicker, train_picker

__all__ = [
    "PickerTraining",
    "Release",
    "TrainedPicker",
    "ensemble_of",
    "gentle_options",
    "release_of",
    "release_picker",
    "train_picker",
    "trained_ensemble",
]
