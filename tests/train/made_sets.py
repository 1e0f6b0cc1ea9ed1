"""Small sets in SeisBench's format, with events that a picker finds and a few it does not."""

import csv
from pathlib import Path

import numpy as np

RATE = 100.0


def samples_of(rng, length, p=None, s=None, *, height=40.0):
    """Coloured noise of unit size, with a P on Z and an S on the horizontals that die away."""
    noise = rng.normal(size=(3, length + 50))
    noise = np.apply_along_axis(np.convolve, 1, noise, np.hanning(5) / 2.0, "valid")[:, :length]
    time_s = np.arange(length) / RATE
    for onset, sizes, decay_s in ((p, (1.0, 0.4, 0.4), 3.0), (s, (0.8, 2.0, 2.0), 5.0)):
        if onset is not None:
            after_s = time_s - onset / RATE
            shape = np.where(after_s >= 0, np.exp(-np.maximum(after_s, 0) / decay_s), 0)
            for row, size in zip(noise, sizes, strict=True):
                row += height * size * shape * rng.normal(size=length)
    return noise.astype(np.float32)


def event_row(number, *, p, s=None, split="dev", **columns):
    """The line of an event's record, one a station and minute."""
    return {
        "trace_name": f"trace{number}",
        "trace_start_time": f"2020-01-01T{number // 60:02}:{number % 60:02}:00.000000Z",
        "trace_sampling_rate_hz": "100.0",
        "trace_p_arrival_sample": str(p),
        "trace_p_status": "manual",
        "trace_s_arrival_sample": "" if s is None else str(s),
        "trace_s_status": "" if s is None else "manual",
        "trace_s_labelled": str(s is not None),
        "trace_category": "earthquake",
        "source_id": f"made{number}",
        "station_network_code": "XX",
        "station_code": f"S{number}",
        "split": split,
        **columns,
    }


def noise_row(number, *, split="dev", **columns):
    """The line of a record of noise."""
    row = event_row(number, p="", split=split)
    return row | {
        "trace_category": "noise",
        "source_id": f"hour{number}",
        "trace_p_status": "",
        **columns,
    }


def write_set(folder: Path, rows, arrays) -> Path:
    """A set of records: rows of the table and samples by the trace's name."""
    import h5py

    folder.mkdir(parents=True, exist_ok=True)
    columns = list(dict.fromkeys(key for row in rows for key in row))
    with (folder / "metadata.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    with h5py.File(folder / "waveforms.hdf5", "w") as file:
        for name, array in arrays.items():
            file[f"data/{name}"] = array
        file["data_format/component_order"] = "ZNE"
        file["data_format/dimension_order"] = "CW"
    return folder


def made_set(folder: Path, *, n_events=6, n_noise=2, seed=0, split="dev", first=0) -> Path:
    """A set of events 70 s long, P at 25 to 35 s and S 4 to 8 s later, and of noise."""
    rng = np.random.default_rng(seed)
    rows, arrays = [], {}
    for number in range(first, first + n_events):
        p = int(rng.integers(2500, 3500))
        s = p + int(rng.integers(400, 800))
        row = event_row(number, p=p, s=s, split=split, path_ep_distance_km=str(0.08 * (s - p)))
        rows.append(row)
        arrays[row["trace_name"]] = samples_of(rng, 7000, p, s)
    for number in range(first + n_events, first + n_events + n_noise):
        rows.append(noise_row(number, split=split))
        arrays[rows[-1]["trace_name"]] = samples_of(rng, 7000)
    return write_set(folder, rows, arrays)
