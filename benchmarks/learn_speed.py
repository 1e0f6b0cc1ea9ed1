"""An epoch of the lecture's networks: `zilzal.learn` beside PyTorch autograd on the CPU.

Both train the same network from the same weights on the same batches, turn by turn in one run,
with as many threads. `python benchmarks/learn_speed.py` writes results/learn_speed.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from threadpoolctl import threadpool_info, threadpool_limits

from zilzal.learn.descent import Descent
from zilzal.learn.lengths import Constant
from zilzal.learn.losses import BinaryCrossEntropy
from zilzal.learn.network import Network, multilayer
from zilzal.learn.rules import Adam, GradientDescent
from zilzal.learn.training import NetworkLoss, Samples, Training

NETWORKS = ((6000, 32, 32, 1), (6000, 32, 64, 128, 6000))
BATCHES = (8, 64)
RULES = {"sgd": GradientDescent(), "adam": Adam()}
RATE = 1e-3
SEED = 222
RESULT = Path(__file__).parent / "results" / "learn_speed.json"


def make_samples(sizes: tuple[int, ...], count: int) -> Samples:
    generator = np.random.default_rng(SEED)
    x = generator.standard_normal((count, sizes[0]), dtype=np.float32)
    y = (generator.random((count, sizes[-1])) < 0.5).astype(np.float32)
    return Samples(x, y)


def learn_epoch(
    network: Network, samples: Samples, rule: str, batch: int
) -> tuple[Callable[[], None], Callable[[], np.ndarray]]:
    """One epoch by zilzal.learn, and the parameters it has reached."""
    descent = Descent(rule=RULES[rule], length=Constant(RATE))
    training = Training(descent=descent, batch_size=batch)
    progress = training.start(
        network.initialise(np.random.default_rng(SEED)), np.random.default_rng(SEED)
    )
    problem = NetworkLoss(network, BinaryCrossEntropy(), samples)

    def epoch() -> None:
        for _ in training.steps(progress, problem):
            pass

    return epoch, lambda: progress.position.parameters


def torch_epoch(
    network: Network, samples: Samples, rule: str, batch: int, *, fused: bool
) -> tuple[Callable[[], None], Callable[[], np.ndarray]]:
    """The same epoch by PyTorch, as its tutorials write it, but batches sliced from one tensor."""
    theta = network.initialise(np.random.default_rng(SEED))
    modules: list[torch.nn.Module] = []
    for weights, bias in network.split(theta):
        layer = torch.nn.Linear(*weights.shape)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(weights.T.copy()))
            layer.bias.copy_(torch.from_numpy(bias))
        modules += [layer, torch.nn.ReLU()]
    model = torch.nn.Sequential(*modules[:-1])
    kind = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[rule]
    optimiser = kind(model.parameters(), lr=RATE, fused=fused or None)
    loss = torch.nn.BCEWithLogitsLoss()
    x, y = torch.from_numpy(samples.x), torch.from_numpy(samples.y)
    generator = np.random.default_rng(SEED)

    def epoch() -> None:
        order = torch.from_numpy(generator.permutation(len(x)))
        for start in range(0, len(x), batch):
            chosen = order[start : start + batch]
            optimiser.zero_grad()
            loss(model(x[chosen]), y[chosen]).backward()
            optimiser.step()

    def parameters() -> np.ndarray:
        flat = [p.detach().numpy().T.ravel() for p in model.parameters()]
        return np.concatenate(flat)

    return epoch, parameters


def race(sizes: tuple[int, ...], batch: int, rule: str, *, count: int, runs: int) -> dict:
    """Medians and spreads of one epoch, the contestants taking turns."""
    network, samples = multilayer(sizes), make_samples(sizes, count)
    contestants = {
        "zilzal": learn_epoch(network, samples, rule, batch),
        "torch": torch_epoch(network, samples, rule, batch, fused=False),
        "torch_fused": torch_epoch(network, samples, rule, batch, fused=True),
    }
    for epoch, _ in contestants.values():
        epoch()
    reached = {name: parameters().copy() for name, (_, parameters) in contestants.items()}
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(runs):
        for name, (epoch, _) in contestants.items():
            start = time.perf_counter()
            epoch()
            seconds[name].append(time.perf_counter() - start)
    row: dict = {"network": "-".join(map(str, sizes)), "batch": batch, "rule": rule}
    row["samples"] = count
    for name, times in seconds.items():
        row[f"{name}_ms"] = 1e3 * statistics.median(times)
        row[f"{name}_best_ms"] = 1e3 * min(times)
        row[f"{name}_spread_ms"] = 1e3 * (max(times) - min(times))
    row["largest_difference_after_one_epoch"] = float(
        np.abs(reached["zilzal"] - reached["torch"]).max()
    )
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=1024)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--threads", type=int, nargs="*", default=[1, torch.get_num_threads()])
    parser.add_argument("--output", type=Path, default=RESULT)
    options = parser.parse_args()
    rows = []
    heading = f"{'threads':>7} {'network':24} {'batch':>5} {'rule':5} {'zilzal':>9} {'torch':>9}"
    print(f"{heading} {'fused':>9}  [ms an epoch]  torch/zilzal fused/zilzal")
    for threads in dict.fromkeys(options.threads):
        torch.set_num_threads(threads)
        with threadpool_limits(threads, user_api="blas"):
            for sizes in NETWORKS:
                for batch in BATCHES:
                    for rule in RULES:
                        row = race(sizes, batch, rule, count=options.samples, runs=options.runs)
                        rows.append({"threads": threads, **row})
                        ours, theirs, fused = (
                            row[f"{name}_ms"] for name in ("zilzal", "torch", "torch_fused")
                        )
                        print(
                            f"{threads:7} {row['network']:24} {batch:5} {rule:5} {ours:9.1f} "
                            f"{theirs:9.1f} {fused:9.1f} {theirs / ours:29.2f} "
                            f"{fused / ours:12.2f}",
                            flush=True,
                        )
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()
    blas = {info["internal_api"]: info["version"] for info in threadpool_info()}
    about = {
        "benchmark": "learn_speed",
        "commit": commit,
        "seed": SEED,
        "machine": platform.machine(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": torch.__version__,
        "blas": blas,
        "load_at_end": os.getloadavg(),
        "runs": options.runs,
        "dtype": "float32",
    }
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps({**about, "rows": rows}, indent=2) + "\n")


def processor() -> str:
    """The processor's name, where Linux tells it."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


if __name__ == "__main__":
    main()
