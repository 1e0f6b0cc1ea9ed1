"""What people look at: waveforms, spectra, stations and statistics, ready to be drawn."""
