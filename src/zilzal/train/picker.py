"""The picker's training: options, training, release; what `zilzal train picker` runs."""

from zilzal.train.options import PickerTraining
from zilzal.train.release import Release, release_picker
from zilzal.train.training import TrainedPicker, train_picker

__all__ = ["PickerTraining", "Release", "TrainedPicker", "release_picker", "train_picker"]
