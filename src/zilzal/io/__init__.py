"""Files in and out: waveforms, stations, catalogues, the store. ObsPy and SQL stay in here."""
