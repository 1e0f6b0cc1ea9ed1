"""Location: from picks that share a source to its time and place, with honest uncertainty."""

from zilzal.locate.corrections import estimate_corrections
from zilzal.locate.grid import GridLocator
from zilzal.locate.merge import MergeRule, merge_split
from zilzal.locate.observations import StationCorrection

__all__ = ["GridLocator", "MergeRule", "StationCorrection", "estimate_corrections", "merge_split"]
