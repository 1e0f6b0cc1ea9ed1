"""Made records: noise, and an event in noise."""

import numpy as np


def noise_record(rng, *, rate=100.0, seconds=60.0, level=100.0):
    """Three components of white noise."""
    return rng.normal(scale=level, size=(3, round(rate * seconds)))


def event_record(rng, *, rate=100.0, seconds=60.0, onset_s=15.0, height=40.0, level=100.0):
    """A P with a larger S 4 s later, both with exponential codas, in white noise."""
    samples = noise_record(rng, rate=rate, seconds=seconds, level=level)
    time_s = np.arange(samples.shape[1]) / rate
    for onset, share, decay_s in ((onset_s, 0.4, 3.0), (onset_s + 4.0, 1.0, 6.0)):
        after = np.clip(time_s - onset, 0, None)
        envelope = np.where(time_s >= onset, np.exp(-after / decay_s), 0)
        samples += level * height * share * envelope * rng.normal(size=samples.shape)
    return samples
