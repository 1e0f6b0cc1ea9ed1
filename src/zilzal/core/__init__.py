"""The words: identifiers, time, units, places, waveforms, picks, events, stages, errors."""
