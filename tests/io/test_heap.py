"""Memory that the C library keeps."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from zilzal.io.heap import _glibc, give_back, limit_heaps

STATM = Path("/proc/self/statm")


def resident_mb() -> float:
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.skipif(
    not STATM.exists() or _glibc() is None, reason="another C library than glibc, or no /proc"
)
def test_what_was_freed_between_things_in_use_is_given_back():
    limit_heaps()
    blocks = [np.ones(8_000) for _ in range(2_000)]
    held_mb = 8_000 * 8 * len(blocks) / 2**20
    kept = blocks[::100]
    blocks.clear()
    before_mb = resident_mb()
    give_back()
    assert before_mb - resident_mb() > 0.8 * held_mb
    assert all(block.sum() == 8_000 for block in kept)


def test_without_glibc_nothing_happens(monkeypatch):
    monkeypatch.setattr("zilzal.io.heap._glibc", lambda: None)
    limit_heaps()
    give_back()
