"""The rules of this room as a `torch.optim.Optimizer` (needs PyTorch, extra `train`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch

from zilzal.learn.clip import Clip
from zilzal.learn.lengths import Schedule
from zilzal.learn.rules import Rule


class RuleOptimiser(torch.optim.Optimizer):
    """Train a PyTorch network with any `Rule`, here unchanged from the lecture's networks.

    Args:
        params: as for any optimiser of PyTorch, groups included (their option: `lr`).
        rule: from gradient to step.
        lr: the rate α, which the schedulers of PyTorch may change, or a `Schedule` by steps.
        clip: bound on the gradient of each group's parameters together, before the rule.
    """

    def __init__(
        self,
        params: Iterable[Any],
        rule: Rule,
        *,
        lr: float | Schedule = 1e-3,
        clip: Clip | None = None,
    ) -> None:
        initial = lr.rate(0) if isinstance(lr, Schedule) else lr
        if not initial >= 0.0:
            raise ValueError(f"lr is {initial}; it must not be negative")
        super().__init__(params, {"lr": initial, "steps": 0})
        self.rule = rule
        self.clip = clip
        self.schedule = lr if isinstance(lr, Schedule) else None

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride] - torch overloads it
        """Go one step along the gradients at hand; returns the closure's loss, if there is one."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            self._step_group(group)
        return loss

    def _step_group(self, group: dict[str, Any]) -> None:
        if self.schedule is not None:
            group["lr"] = self.schedule.rate(group["steps"])
        group["steps"] += 1
        moving = [p for p in group["params"] if p.grad is not None]
        gradients = [p.grad for p in moving]
        if self.clip is not None:
            gradients = self.clip.clip(gradients)
        for parameter, gradient in zip(moving, gradients, strict=True):
            state = self.state[parameter] or self.rule.init(parameter)
            self.state[parameter], step = self.rule.update(state, gradient, float(group["lr"]))
            parameter.add_(step)
