"""What QuakeML has no element for, kept in one comment of ours per element, and its ids.

The comment is the word "zilzal" and a JSON object. QuakeML's own elements say as much as they
can; the comment adds what they cannot say, and the exact value where they round (times to
microseconds, distances in degrees).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from zilzal.core.pick import Provenance
from zilzal.core.time import Time

_MARK = "zilzal "
_URI = re.compile(r"(smi|quakeml):\w[\w.*()_~'-]{2,}/[\w.*()_~'-][\w.*()+?_~'=,;#/&-]*", re.ASCII)
_FORBIDDEN = re.compile(r"[^\w.*()+?_~'=,;#/&-]", re.ASCII)


def uri_of(identifier: str, authority: str) -> str:
    """A resource identifier that QuakeML allows.

    Args:
        identifier: ours, as "pick/00ff"; one that is a QuakeML URI already is kept.
        authority: who gives out the names, as "local" or "org.gfz-potsdam.de".
    """
    if _URI.fullmatch(identifier):
        return identifier
    uri = f"smi:{authority}/{_FORBIDDEN.sub('_', identifier)}"
    if not _URI.fullmatch(uri):
        raise ValueError(
            f"no QuakeML identifier can be made of authority {authority!r} and {identifier!r}; "
            "an authority has three characters or more, as 'local'"
        )
    return uri


def note(content: Mapping[str, Any]) -> str:
    """The text of our comment; numbers keep every bit."""
    return _MARK + json.dumps(_strict(content), allow_nan=False, sort_keys=True)


def _strict(value: Any) -> Any:
    """JSON has no word for NaN and infinity: they are written as text."""
    if isinstance(value, Mapping):
        return {name: _strict(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(item) for item in value]
    if isinstance(value, str | bool | int | None):
        return value
    number = float(value)
    return number if math.isfinite(number) else str(number)


def read_note(comments: Iterable[Any]) -> dict[str, Any]:
    """The content of our comment among ObsPy's; empty where there is none."""
    for comment in comments:
        if is_note(comment):
            try:
                return json.loads(comment.text.removeprefix(_MARK))
            except ValueError:
                continue
    return {}


def is_note(comment: Any) -> bool:
    """Whether an ObsPy comment is ours."""
    return (comment.text or "").startswith(_MARK + "{")


def provenance_note(provenance: Provenance) -> dict[str, str]:
    """What made an element."""
    return {
        "method": provenance.method,
        "version": provenance.version,
        "model": provenance.model,
        "configuration": provenance.configuration,
    }


def provenance_of(ours: Mapping[str, Any], creation_info: Any) -> Provenance:
    """The inverse of `provenance_note`; from others what their creation info tells."""
    if "provenance" in ours:
        return Provenance(**ours["provenance"])
    method = getattr(creation_info, "author", None) or getattr(creation_info, "agency_id", None)
    return Provenance(
        method=method or "unknown", version=getattr(creation_info, "version", "") or ""
    )


def exact_time(stated: Any, ours: Mapping[str, Any], name: str = "time_ns") -> Time:
    """Our nanoseconds while QuakeML's microseconds agree; theirs if another program moved them."""
    ns = ours.get(name)
    return Time(ns) if ns is not None and abs(ns - stated.ns) <= 1_000 else Time(stated.ns)


def exact(stated: float | None, ours: Mapping[str, Any], name: str, ratio: float) -> float:
    """Our value while QuakeML's, times a ratio of units, agrees; NaN where neither is there."""
    converted = math.nan if stated is None else stated * ratio
    value = float(ours.get(name, math.nan))
    return value if math.isclose(value, converted, rel_tol=1e-9) or stated is None else converted
