"""Travel times in earth models that vary with depth."""

from zilzal.travel.model import EarthModel, Layer
from zilzal.travel.rays import Rays, first_arrivals
from zilzal.travel.read import built_in, built_in_names, load_model, parse_csv, parse_toml
from zilzal.travel.tables import TimeTable, TravelTimeTables

__all__ = [
    "EarthModel", "Layer", "Rays", "TimeTable", "TravelTimeTables", "built_in", "built_in_names",
    "first_arrivals", "load_model", "parse_csv", "parse_toml",
]  # fmt: skip
