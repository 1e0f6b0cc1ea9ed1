"""Windows with labels, as `evaluate` takes them."""

import numpy as np

from tests.evaluate.test_picks import records
from zilzal.evaluate.phase import PhasePicks, PhaseTruth
from zilzal.evaluate.picks import Onsets

NO_TRAITS = ("snr_db", "distance_km", "s_minus_p_s")


def truth(n, *, noise=(), source=None, onset=None, polarity=None, **traits):
    """Windows of a minute with a label at 10 s in each but those of noise."""
    spans = records(n, noise=noise)
    labelled = np.flatnonzero(~spans.is_noise)
    none = np.full(n, np.nan)
    return PhaseTruth(
        records=spans,
        labels=Onsets.labels(labelled, np.full(len(labelled), 10.0)),
        onset=np.arange(len(labelled)) if onset is None else np.array(onset),
        polarity=np.full(len(labelled), np.nan) if polarity is None else np.array(polarity, float),
        source=np.zeros(n, int) if source is None else np.array(source),
        traits={name: np.array(traits.get(name, none), float) for name in NO_TRAITS},
    )


def picks(record, off_s=0.0, *, output=1.0, claimed=np.nan, sigma_s=np.nan, polarity=np.nan):
    """A pick in each of some windows, so far from 10 s."""
    record = np.array(record, int)

    def each(value):
        return np.broadcast_to(np.array(value, float), record.shape).copy()

    return PhasePicks(
        onsets=Onsets(record=record, time_s=10.0 + each(off_s), probability=each(output)),
        claimed=each(claimed),
        uncertainty_s=each(sigma_s),
        polarity=each(polarity),
    )
