"""Association as a contest of sources for picks, judged by probabilities.

A pick is either background, which comes at its own rate at each station and phase, or the arrival
of one source. A source of some size is heard at a station with a probability that falls with
distance; when it is, its pick comes near the computed time. So a group of picks has odds of being
a source, in which every pick that fits counts for it, and every pick that ought to be there and is
not counts against it (`model.py`). Sources are proposed by stacking (`propose.py`), improved,
and then compete: each pick goes to the source that needs it most, and a source whose odds fall
below even without the picks that others took is given up (`contest.py`). What the network is like
is learned from the events themselves (`learn.py`): late stations, deaf ones, how far the earth is
from the model, where sources are frequent.

The design follows the generative view of NET-VISA (Arora, Russell & Sudderth 2013,
doi:10.1785/0120120107), with the search of a local network's associator; the competition is an
assignment problem (Crouse 2016, doi:10.1109/TAES.2016.140952, for the algorithm in SciPy).
"""
