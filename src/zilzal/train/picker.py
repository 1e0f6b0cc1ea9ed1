"""The picker's training: options, training, release; what `zilzal train picker` runs."""

from zilzal.train.options import PickerTraining
from zilzal.train.release import Release, release_of, release_picker
from zilzal.train.start import gentle_options
from zilzal.train.training import TrainedPicker, train_picker

__all__ = [
    "PickerTraining",
    "Release",
    "TrainedPicker",
    "gentle_options",
    "release_of",
    "release_picker",
    "train_picker",
]
