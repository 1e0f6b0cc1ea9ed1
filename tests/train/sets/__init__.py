"""Sets of labelled waveforms."""
