"""Colours and the look that all figures share."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

P_COLOUR = "#0072B2"
S_COLOUR = "#D55E00"
DETECTION_COLOUR = "#009E73"
ACCENT_COLOUR = "#CC79A7"
INK = "#1f2933"
FAINT = "#9aa5b1"
"""From Okabe & Ito's palette, which the colour-blind can tell apart (jfly.uni-koeln.de/color)."""

OKABE_ITO = (P_COLOUR, S_COLOUR, DETECTION_COLOUR, ACCENT_COLOUR, "#E69F00", "#56B4E9", INK, FAINT)
"""Colours of things that are told apart by nothing else, in order of use."""

PHASE_COLOURS = {"P": P_COLOUR, "S": S_COLOUR, "detection": DETECTION_COLOUR}

_SETTINGS: dict[Any, Any] = {
    "figure.dpi": 130,
    "font.size": 9,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e4e7eb",
    "grid.linewidth": 0.6,
    "xtick.color": INK,
    "ytick.color": INK,
    "text.color": INK,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}


@contextmanager
def drawing() -> Generator[None]:
    """Draw in our style, without a display and without touching anyone's settings."""
    import matplotlib as mpl

    with mpl.rc_context(_SETTINGS):
        yield


def save_figure(figure: Figure, path: Path) -> Path:
    """Write a figure; the ending of the path says the format (png, svg, pdf).

    Raises:
        OSError: the path cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    return path
