"""Races to begin with in the lab: each limit of descent as a page that can be shown in class."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

_PLAIN = {"rule": "gradient_descent", "length": "constant"}

LESSONS: MappingProxyType[str, dict[str, Any]] = MappingProxyType(
    {
        "conditioning": {
            "title": "Ill-conditioning",
            "text": "A long valley. The steepest way down is across it, so plain descent "
            "zigzags while the floor is gentle. Turn the condition number up.",
            "race": {
                "surface": "bowl",
                "condition": 60.0,
                "steps": 120,
                "racers": [
                    {**_PLAIN, "rate": 0.031},
                    {"rule": "momentum", "momentum": 0.85, "rate": 0.02},
                    {"rule": "delta_bar_delta", "rate": 0.02},
                    {"rule": "adam", "rate": 0.1},
                ],
            },
        },
        "lengths": {
            "title": "Step lengths",
            "text": "One direction, four lengths: fixed, cooling, exact search along the line, and "
            "backtracking until the fall is enough.",
            "race": {
                "surface": "bowl",
                "condition": 20.0,
                "steps": 60,
                "start": [-1.9, 0.35],
                "racers": [
                    {**_PLAIN, "rate": 0.09},
                    {**_PLAIN, "length": "cooling", "rate": 0.09},
                    {**_PLAIN, "length": "exact"},
                    {**_PLAIN, "length": "backtracking"},
                ],
            },
        },
        "cooling": {
            "title": "Cooling",
            "text": "Gradients of mini-batches are noisy. At a fixed rate the descent never comes "
            "to rest; cooling lets it.",
            "race": {
                "surface": "bowl",
                "condition": 12.0,
                "steps": 250,
                "noise": 2.0,
                "seed": 3,
                "racers": [
                    {**_PLAIN, "rate": 0.1},
                    {**_PLAIN, "length": "cooling", "rate": 0.1},
                ],
            },
        },
        "minima": {
            "title": "Local minima",
            "text": "Two wells, the left one deeper. Plain descent takes the nearest; a ball with "
            "momentum may roll on. Click another start.",
            "race": {
                "surface": "double_well",
                "steps": 120,
                "racers": [
                    {**_PLAIN, "rate": 0.1},
                    {"rule": "momentum", "momentum": 0.9, "rate": 0.1},
                    {"rule": "adam", "rate": 0.1},
                ],
            },
        },
        "saddle": {
            "title": "Saddle point",
            "text": "Along the ridge the gradient leads to the saddle, where it vanishes. Who "
            "leaves first?",
            "race": {
                "surface": "saddle",
                "steps": 120,
                "racers": [
                    {**_PLAIN, "rate": 0.1},
                    {"rule": "momentum", "momentum": 0.9, "rate": 0.1},
                    {"rule": "delta_bar_delta", "rate": 0.1},
                    {"rule": "rmsprop", "rate": 0.05},
                ],
            },
        },
        "plateau": {
            "title": "Flat region",
            "text": "Far from the pit the gradient is almost nothing. Rules that divide by its "
            "size do not mind.",
            "race": {
                "surface": "flat",
                "steps": 150,
                "start": [2.6, 2.4],
                "racers": [
                    {**_PLAIN, "rate": 0.5},
                    {"rule": "momentum", "momentum": 0.9, "rate": 0.5},
                    {"rule": "delta_bar_delta", "rate": 0.5},
                    {"rule": "adam", "rate": 0.1},
                ],
            },
        },
        "cliff": {
            "title": "Cliff and clipping",
            "text": "At the wall the gradient explodes and throws the step far away. Bounded, by "
            "norm or by value, it lands below.",
            "race": {
                "surface": "cliff",
                "steps": 60,
                "racers": [
                    {**_PLAIN, "rate": 0.3},
                    {**_PLAIN, "rate": 0.3, "clip_norm": 2.0},
                    {**_PLAIN, "rate": 0.3, "clip_value": 0.5},
                ],
            },
        },
        "valley": {
            "title": "Curved valley",
            "text": "Rosenbrock's valley bends: the gradient points across, and a good rate for "
            "the walls is a bad one for the floor.",
            "race": {
                "surface": "rosenbrock",
                "steps": 800,
                "racers": [
                    {**_PLAIN, "rate": 0.001},
                    {"rule": "nesterov", "momentum": 0.95, "rate": 0.0005},
                    {"rule": "adam", "rate": 0.1},
                    {**_PLAIN, "length": "backtracking"},
                ],
            },
        },
    }
)
"""By the name in the page's address; `race` is what `/api/race` takes."""
