"""Truth against result: matching of picks and catalogues, calibration, completeness."""
