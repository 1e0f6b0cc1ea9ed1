"""What pickers are compared on, and their picks in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from zilzal.core.errors import ConfigError
from zilzal.core.pick import Phase
from zilzal.evaluate.phase import PhasePicks, PhaseTruth
from zilzal.evaluate.report import Judging
from zilzal.train.answers import Answers, joined
from zilzal.train.candidates import Candidate, check_names, pick_cases, windows_hash
from zilzal.train.case import Case
from zilzal.train.pick_lists import PickList, read_list
from zilzal.train.protocol import Protocol, identities
from zilzal.train.truths import picks_of, truth_of
from zilzal.train.windows import iterate_cases

BLOCK = 128
"""Windows that are held in memory, picked and kept together."""

Told = Callable[[str, int, int, str], None]
"""Takes a stage, how much of it is done, how much there is, and a note."""


def say_nothing(stage: str, done: int, total: int, note: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """Where thresholds are chosen, alike for all pickers.

    Args:
        paths: of the sets.
        protocol: of their windows; its split is one for development.
        false_per_hour: most picks allowed in an hour of noise.
        allow_overlap: go on though records or events are also in what is scored.
    """

    paths: Sequence[Path]
    protocol: Protocol
    false_per_hour: float = float("inf")
    allow_overlap: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """What is to be compared, and on what.

    Args:
        paths: of the sets.
        protocol: of their windows.
        candidates: pickers that are run.
        lists: picks of pickers that are not.
        thresholds: given ones, by picker and phase; they replace a picker's own.
        tuning: how others are chosen; None for each picker's own.
        judging: what is measured.
        seed: of the intervals.
        cache: folder in which picks are kept; None for none.
    """

    paths: Sequence[Path]
    protocol: Protocol
    candidates: Sequence[Candidate] = ()
    lists: Sequence[PickList] = ()
    thresholds: Mapping[str, Mapping[Phase, float]] = field(
        default_factory=dict[str, Mapping[Phase, float]]
    )
    tuning: Tuning | None = None
    judging: Judging = field(default_factory=Judging)
    seed: int = 0
    cache: Path | None = None

    def __post_init__(self) -> None:
        names = self.names
        if not names:
            raise ConfigError("there is no picker to evaluate; name one with --model or --picks")
        check_names(names)
        if unknown := set(self.thresholds) - set(names):
            raise ConfigError(
                f"a threshold is given for {', '.join(sorted(unknown))}; the pickers are "
                f"{', '.join(names)}"
            )
        for each in self.candidates:
            for phase, value in self.thresholds.get(each.name, {}).items():
                if phase in each.thresholds and value < (lowest := each.lowest(phase)):
                    raise ConfigError(
                        f"threshold {value:g} of {each.name} for {phase} is below {lowest:g}, "
                        "from which it picks here"
                    )

    @property
    def pickers(self) -> list[Candidate | PickList]:
        """All of them, those that are run first."""
        return [*self.candidates, *self.lists]

    @property
    def names(self) -> list[str]:
        """Of the pickers, in order."""
        return [each.name for each in self.pickers]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Picked:
    """What is known of some windows, and what the pickers say of them.

    Args:
        cases: the windows, without their samples.
        truths: what is known of each phase.
        answers: by picker.
    """

    cases: Sequence[Case]
    truths: Mapping[Phase, PhaseTruth]
    answers: Mapping[str, Answers]

    def picks(self, name: str, phase: Phase) -> PhasePicks:
        """A picker's picks of a phase, windows numbered as in the truth."""
        return picks_of(self.cases, self.answers[name], phase)


def pick_windows(
    contest: Contest, paths: Sequence[Path], protocol: Protocol, *, told: Told = say_nothing
) -> Picked:
    """Run every picker on all windows, block by block; blocks that were kept are not run again."""
    total = sum(each.n_windows for each in identities(paths, protocol))
    cases: list[Case] = []
    parts: dict[str, list[tuple[int, Answers]]] = {each.name: [] for each in contest.candidates}
    for block in _blocks(iterate_cases(paths, protocol)):
        hashed = windows_hash(block) if contest.cache else ""
        for candidate in contest.candidates:
            told("pick", len(cases), total, candidate.name)
            answers = _kept_or_picked(candidate, block, hashed, contest.cache)
            parts[candidate.name].append((len(block), answers))
        cases += [case.without_samples() for case in block]
        told("pick", len(cases), total, "")
    told("pick", len(cases), len(cases), "")
    answers = {name: joined(each) for name, each in parts.items()}
    return Picked(
        cases=cases,
        truths={phase: truth_of(cases, phase) for phase in Phase},
        answers=answers | {each.name: read_list(each, cases) for each in contest.lists},
    )


def _blocks(cases: Iterator[Case]) -> Iterator[list[Case]]:
    while block := list(islice(cases, BLOCK)):
        yield block


def _kept_or_picked(
    candidate: Candidate, block: Sequence[Case], hashed: str, cache: Path | None
) -> Answers:
    if cache is None:
        return pick_cases(candidate, block)
    path = cache / f"{candidate.name}-{candidate.fingerprint[:12]}-{hashed[:16]}.npz"
    if not path.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        pick_cases(candidate, block).save(path)
    return Answers.load(path)
