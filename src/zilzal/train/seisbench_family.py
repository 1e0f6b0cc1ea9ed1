"""How SeisBench's classes work on a window, as far as it is known here.

A class is known by who wrote its `annotate_batch_pre` and `annotate_batch_post`: a subclass that
keeps them works the same way, one that has its own is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from zilzal.core.errors import ModelError
from zilzal.core.waveform import COMPONENTS
from zilzal.signal.prepare import Preparation

Blinding = tuple[int, int]


def preparation_of(model: Any) -> Preparation:
    """What the object does to a window before its network sees it.

    Raises:
        ModelError: it is not known, or has no counterpart here.
    """
    owner = _owner(model, "annotate_batch_pre")
    if owner not in _PREPARATIONS:
        raise ModelError(
            f"how {type(model).__name__} prepares a window ({owner}.annotate_batch_pre) has no "
            f"counterpart here; known are {', '.join(sorted(_PREPARATIONS))}"
        )
    plain = Preparation(
        sampling_rate=float(model.sampling_rate),
        highpass_hz=None,
        normalisation="window_std",
        compression="none",
        detrend=bool(getattr(model, "norm_detrend", False)),
    )
    return _PREPARATIONS[owner](model, _filtered(model, plain))


def blinding_of(model: Any, argument: Callable[[str, Any], Any]) -> Blinding:
    """Samples at a window's start and end whose output the object throws away.

    Args:
        model: the object.
        argument: of its `annotate` by name, with what holds where nobody says.

    Raises:
        ModelError: what it does with its output is not known.
    """
    owner = _owner(model, "annotate_batch_post")
    if owner not in _BLINDINGS:
        raise ModelError(
            f"what {type(model).__name__} does with its output ({owner}.annotate_batch_post) has "
            f"no counterpart here; known are {', '.join(sorted(_BLINDINGS))}"
        )
    return _BLINDINGS[owner](argument)


def refuse_unknown_stream(model: Any) -> None:
    """Raise ModelError where an object does more to a stream than filter and resample it."""
    for name in ("annotate_stream_pre", "_filter_stream", "_get_in_pred_samples"):
        owner = _owner(model, name)
        if owner != "WaveformModel":
            raise ModelError(
                f"{type(model).__name__} works on streams in a way of its own ({owner}.{name}), "
                "which has no counterpart here"
            )


def _owner(model: Any, method: str) -> str:
    """Name of the class that a method comes from."""
    for kind in type(model).__mro__:
        if method in vars(kind):
            return kind.__name__
    raise ModelError(
        f"{type(model).__name__} is no picker of SeisBench's: it has no {method}; give an object "
        "of seisbench.models"
    )


def _filtered(model: Any, plain: Preparation) -> Preparation:
    """With the filter of ObsPy's that SeisBench runs over the stream, if there is one."""
    kind, options = _filter_of(model)
    if kind is None:
        return plain
    corners = {
        "highpass": (options.get("freq"), None),
        "lowpass": (None, options.get("freq")),
        "bandpass": (options.get("freqmin"), options.get("freqmax")),
    }
    known = {"freq", "freqmin", "freqmax", "corners", "zerophase"}
    if kind not in corners or options.get("zerophase") or set(options) - known:
        raise ModelError(
            f"the filter {kind!r} with {options} has no counterpart here: known are highpass, "
            "lowpass and bandpass, causal, since a zero-phase one needs what comes after"
        )
    low_hz, high_hz = corners[kind]
    order = int(options.get("corners", 4))
    return replace(plain, highpass_hz=low_hz, lowpass_hz=high_hz, highpass_order=order)


def _filter_of(model: Any) -> tuple[str | None, dict[str, Any]]:
    """Name and options; those of channels that are no seismometer's are of no concern."""
    names, options = model.filter_args, model.filter_kwargs or {}
    if isinstance(names, dict):
        filters = {
            component: [key for key in names if fnmatchcase(f"HH{component}", key)]
            for component in COMPONENTS
        }
        first = filters[COMPONENTS[0]]
        if any(found != first for found in filters.values()) or len(first) > 1:
            raise ModelError(f"filters that differ between components are not known: {names}")
        names, options = (names[first[0]], options[first[0]]) if first else (None, {})
    if not names:
        return None, {}
    if len(names) > 1:
        raise ModelError(
            f"filter_args {names} hold more than a name; give options by filter_kwargs"
        )
    return str(names[0]), dict(options)


def _by_component(model: Any, plain: Preparation) -> Preparation:
    if getattr(model, "norm_amp_per_comp", False) or model.norm == "peak":
        return replace(plain, normalisation="window_max")
    return _std(model, plain)


def _std(model: Any, plain: Preparation) -> Preparation:
    if model.norm != "std":
        raise ModelError(f"norm = {model.norm!r} is not known; it is 'std' or 'peak'")
    return plain


def _eqtransformer(model: Any, plain: Preparation) -> Preparation:
    """The standard deviation is one for all components, a peak one for each."""
    scaled = _by_component(model, plain)
    jointly = scaled.normalisation == "window_std"
    return replace(scaled, jointly=jointly, taper_samples=6)


def _along_axes(model: Any, plain: Preparation) -> Preparation:
    axes = {axis % 3 for axis in model.norm_axis}
    if axes not in ({2}, {1, 2}):
        raise ModelError(f"norm_axis = {model.norm_axis} is not known; it is (-1,) or (-1, -2)")
    return replace(_by_component(model, plain), jointly=axes == {1, 2})


def _skynet(model: Any, plain: Preparation) -> Preparation:
    if model.norm != "peak":
        raise ModelError(f"norm = {model.norm!r} of Skynet has no counterpart here, only 'peak'")
    return replace(plain, normalisation="window_max", jointly=True)


_PREPARATIONS: Mapping[str, Callable[[Any, Preparation], Preparation]] = {
    "BasicPhaseAE": lambda _, plain: plain,
    "EQTransformer": _eqtransformer,
    "GPD": lambda _, plain: replace(plain, normalisation="window_max", jointly=True),
    "PhaseNet": _by_component,
    "Skynet": _skynet,
    "VariableLengthPhaseNet": _along_axes,
    "_EQCCTBranchWaveform": _eqtransformer,
}
"""GPD's own is to take the mean off; its network divides by the peak of all components itself,
which changes nothing after this one. BasicPhaseAE has no options."""


def _told(argument: Callable[[str, Any], Any]) -> Blinding:
    before, after = argument("blinding", (0, 0))
    return int(before), int(after)


_BLINDINGS: Mapping[str, Callable[[Callable[[str, Any], Any]], Blinding]] = {
    # SeisBench blinds the last 130 samples, and of the first 130 only the one after them.
    "BasicPhaseAE": lambda _: (0, 130),
    "EQTransformer": _told,
    "PhaseNet": _told,
    "Skynet": _told,
    "WaveformModel": lambda _: (0, 0),
    "_EQCCTBranchWaveform": _told,
}
