"""Memory that the C library keeps for itself, with glibc; elsewhere these do nothing.

glibc gives each thread that is new a heap of its own, and keeps in each what was freed between
things that are still in use. A process that runs for months with threads that come and go, and
that needs much for a moment now and then, so comes to hold several times what it needs.
"""

from __future__ import annotations

import ctypes
from functools import lru_cache

_ARENA_MAX = -8
"""M_ARENA_MAX of mallopt(3)."""
_ARENAS = 2


def limit_heaps() -> None:
    """Have all threads share two heaps; for the beginning, heaps that are there stay."""
    if (library := _glibc()) is not None:
        library.mallopt(_ARENA_MAX, _ARENAS)


def give_back() -> None:
    """Return what was freed to the system; takes some milliseconds, for a quiet moment."""
    if (library := _glibc()) is not None:
        library.malloc_trim(0)


@lru_cache(maxsize=1)
def _glibc() -> ctypes.CDLL | None:
    """The C library of this process if it has the functions."""
    try:
        library = ctypes.CDLL(None)
    except (OSError, TypeError):
        return None
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
