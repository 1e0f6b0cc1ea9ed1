"""Making, dividing, joining and judging sets of labelled waveforms."""
