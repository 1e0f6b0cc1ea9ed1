"""Random numbers that depend on what they are for, not on when they are drawn."""

from __future__ import annotations

import hashlib

import numpy as np


def generator(seed: int, *purpose: object) -> np.random.Generator:
    """The generator of one purpose, as (7, "noise", "SY.S01..HHZ", 12).

    Chunks of a record may be made in any order, or again, and come out alike.
    """
    text = "\x1f".join(map(str, (seed, *purpose)))
    digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
    return np.random.default_rng(int.from_bytes(digest, "little"))
