"""Functions on arrays of samples: continuity, alignment, filters, peaks, onsets, responses."""
