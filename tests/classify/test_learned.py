"""Networks on the records of an event: the gate, kinds, and what is left open."""

import csv
import pickle
from dataclasses import replace

import numpy as np
import pytest

from tests.classify.made import event_record, noise_record
from zilzal.classify.features import Features
from zilzal.classify.fusion import fuse
from zilzal.classify.learned import UNKNOWN, LearnedClassifier, read_record
from zilzal.classify.model import find_class_model, network_folder, packaged_classifiers
from zilzal.core.errors import ModelError, SpecError
from zilzal.core.event import EventType, Unlocated
from zilzal.core.ids import ChannelId, SensorId
from zilzal.core.pick import Phase, Pick, Provenance
from zilzal.core.stage import Classifier, Evidence
from zilzal.core.station import Inventory
from zilzal.core.time import Time
from zilzal.core.waveform import Trace
from zilzal.learn.files import Model, load_model, save_model
from zilzal.learn.network import multilayer

MADE = Provenance(method="made", version="0")
TIME = Time.parse("2024-03-05T11:30:00Z")


class Waveforms:
    """Records of sensors, of which a part may be asked for."""

    def __init__(self, records, *, rate=100.0, start=TIME - 30.0):
        self.records, self.rate, self.start = records, rate, start

    def channel_ids(self):
        return [sensor.channel_id(c) for sensor in self.records for c in "ENZ"]

    def read(self, channel_id, start, end):
        samples = self.records[channel_id.sensor_id]["ZNE".index(channel_id.component)]
        first = max(0, round((start - self.start) * self.rate))
        last = min(len(samples), round((end - self.start) * self.rate))
        if first >= last:
            return []
        return [
            Trace(
                channel_id=channel_id,
                start=self.start + first / self.rate,
                sampling_rate=self.rate,
                samples=np.round(samples[first:last]).astype(np.int32),
            )
        ]


def sensor(number):
    return SensorId("AA", f"S{number:02d}", "", "HH")


def pick_at(sensor_id, time):
    return Pick(
        channel_id=sensor_id.channel_id("Z"), phase=Phase.P, time=time, probability=0.5,
        uncertainty_s=0.1, provenance=MADE,
    )  # fmt: skip


def evidence(records, *, rate=100.0, picks=None):
    sensors = list(records)
    if picks is None:
        picks = tuple(pick_at(s, TIME + 0.1 * n) for n, s in enumerate(sensors))
    return Evidence(
        origin=Unlocated(reason="made", time=TIME),
        picks=picks,
        detections=(),
        magnitudes=(),
        waveforms=Waveforms(records, rate=rate),
        inventory=Inventory.of(()),
    )


def made_network(n, *, is_event, seed=0, rate=100.0):
    rng = np.random.default_rng(seed)
    make = event_record if is_event else noise_record
    options = {"onset_s": 30.0} if is_event else {}
    return {sensor(k): make(rng, rate=rate, seconds=90.0, **options) for k in range(n)}


def kinds_file(path, *, sharpness=4.0, types=("quarry blast", "earthquake")):
    """A linear model made by hand: the higher the centre of the power in octaves, the likelier
    an earthquake."""
    features = Features(blocks=("shape",), n_bands=6, low_hz=1.0, high_hz=15.0)
    network = multilayer((9, 1))
    theta = np.zeros(network.size, np.float32)
    weights, bias = network.split(theta)[0]
    weights[0, 0], bias[0] = sharpness, -sharpness * 2.0
    notes = {
        "name": "by hand", "classes": ["blast", "quake"], "correlation": 0.5,
        "event_types": dict(zip(("blast", "quake"), types, strict=True)),
        "features": features.to_notes(),
    }  # fmt: skip
    save_model(path, Model(network=network, parameters=theta, notes=notes))
    return str(path)


def test_classifier_satisfies_the_protocol_and_pickles():
    classifier = LearnedClassifier()
    assert isinstance(classifier, Classifier)
    assert pickle.loads(pickle.dumps(classifier)) == classifier


@pytest.mark.parametrize("rate", [50.0, 100.0, 200.0])
def test_made_event_passes_the_gate_at_any_rate(rate):
    found = LearnedClassifier().classify(
        evidence(made_network(6, is_event=True, rate=rate), rate=rate)
    )
    assert found.event_type is EventType.EARTHQUAKE
    assert found.label == "event"
    assert found.probability > 0.9
    assert sum(found.probabilities.values()) == pytest.approx(1)
    assert "at 6 of 6 stations" in found.reason
    assert len(found.provenance.model) == 64


def test_noise_at_many_stations_is_not_existing():
    found = LearnedClassifier().classify(evidence(made_network(6, is_event=False)))
    assert found.event_type is EventType.NOT_EXISTING
    assert found.label == "noise"
    assert found.probability >= 0.95


def test_noise_at_two_stations_is_too_little_to_reject():
    found = LearnedClassifier().classify(evidence(made_network(2, is_event=False)))
    assert found.event_type is EventType.NOT_REPORTED
    assert found.label == "noise"
    assert "too little" in found.reason


def test_event_seen_by_the_nearest_stations_alone_is_not_rejected():
    records = made_network(4, is_event=True)
    records |= {sensor(k + 4): v for k, v in enumerate(made_network(4, is_event=False).values())}
    found = LearnedClassifier().classify(evidence(records))
    assert found.event_type is not EventType.NOT_EXISTING


def test_order_of_the_picks_does_not_matter():
    given = evidence(made_network(5, is_event=True))
    told = LearnedClassifier().classify(given)
    assert LearnedClassifier().classify(replace(given, picks=given.picks[::-1])) == told


def test_gain_does_not_matter():
    records = made_network(4, is_event=True)
    louder = {s: 50 * samples for s, samples in records.items()}
    once, fifty = (LearnedClassifier().classify(evidence(r)) for r in (records, louder))
    # Counts are rounded to whole numbers.
    assert fifty.probability == pytest.approx(once.probability, abs=0.02)


def test_only_the_first_stations_are_looked_at():
    records = made_network(8, is_event=True)
    found = LearnedClassifier(maximum_stations=3).classify(evidence(records))
    assert "of 3 stations (AA.S00" in found.reason
    told = found.station_classifications
    assert [str(s.station_id) for s in told] == [f"AA.S{n:02d}" for n in range(8)]
    assert {s.reason for s in told[3:]} == {"3 stations picked earlier"}


def test_stations_answers_make_the_events(tmp_path):
    records = made_network(4, is_event=True)
    records[sensor(4)] = np.zeros((3, 9000))
    kinds = kinds_file(tmp_path / "kinds.npz")
    found = LearnedClassifier(gate="", kinds=kinds).classify(evidence(records))
    used, dead = found.station_classifications[:4], found.station_classifications[4]
    # Four records of correlation 0.5 count as 4 / (1 + 3 / 2) = 1.6.
    assert [s.weight for s in used] == pytest.approx([0.4] * 4)
    product = {
        name: np.prod([s.probabilities[name] ** s.weight for s in used])
        for name in found.probabilities
    }
    for name, share in product.items():
        assert found.probabilities[name] == pytest.approx(share / sum(product.values()), rel=1e-4)
    assert (dead.station_id, dead.probabilities, dead.weight) == (sensor(4).station_id, {}, 0)
    assert "moving samples" in dead.reason


def test_without_records_it_is_unknown():
    away = [pick_at(sensor(k), TIME + 7200.0) for k in range(4)]
    found = LearnedClassifier().classify(
        evidence(made_network(4, is_event=True), picks=tuple(away))
    )
    assert (found.event_type, found.label) == (EventType.NOT_REPORTED, UNKNOWN)
    assert sum(found.probabilities.values()) == pytest.approx(1)
    assert [s.reason for s in found.station_classifications] == ["no record around the pick"] * 4


def test_record_with_a_gap_keeps_its_place():
    records = {sensor(0): np.arange(27_000.0).reshape(3, 9000)}

    class Gappy(Waveforms):
        def read(self, channel_id, start, end):
            return [
                *super().read(channel_id, start, start + 10.0),
                *super().read(channel_id, start + 20.0, end),
            ]

    samples, present, rate = read_record(Gappy(records), sensor(0), TIME - 10.0, 60.0)
    assert rate == 100.0
    assert not present[:, 1000:2000].any()
    assert present.sum() == 3 * 5000
    # Offsets are taken off by component, not by piece.
    for row in samples:
        np.testing.assert_array_equal(row[present[0]], np.arange(6000.0)[present[0]])


def test_kinds_come_from_the_models_file(tmp_path):
    kinds = kinds_file(tmp_path / "kinds.npz")
    found = LearnedClassifier(gate="", kinds=kinds).classify(
        evidence(made_network(4, is_event=True))
    )
    assert set(found.probabilities) == {"blast", "quake"}
    # White noise lies high in octaves: 1 to 15 Hz has its middle at 8 Hz.
    assert (found.label, found.event_type) == ("quake", EventType.EARTHQUAKE)
    assert "by hand" in found.reason


def test_kind_that_is_not_sure_is_not_reported(tmp_path):
    kinds = kinds_file(tmp_path / "unsure.npz", sharpness=0.01)
    found = LearnedClassifier(gate="", kinds=kinds).classify(
        evidence(made_network(4, is_event=True))
    )
    assert found.event_type is EventType.NOT_REPORTED
    assert found.probability < 0.6


def test_gate_and_kinds_share_one_sum_of_probabilities(tmp_path):
    kinds = kinds_file(tmp_path / "kinds.npz")
    classifier = LearnedClassifier(kinds=kinds)
    found = classifier.classify(evidence(made_network(4, is_event=True)))
    assert set(found.probabilities) == {"blast", "quake", "noise"}
    told = [(str(s.station_id), s.model) for s in found.station_classifications]
    assert told == [
        (f"AA.S{n:02d}", model) for model in ("noise-event", "by hand") for n in range(4)
    ]
    assert sum(found.probabilities.values()) == pytest.approx(1)
    assert found.event_type is EventType.EARTHQUAKE
    silent = classifier.classify(evidence(made_network(6, is_event=False)))
    assert silent.event_type is EventType.NOT_EXISTING


def test_unfit_files_are_refused(tmp_path):
    with pytest.raises(ModelError, match="neither a file nor"):
        LearnedClassifier(gate="no-such-model")
    path = tmp_path / "bare.npz"
    network = multilayer((9, 1))
    save_model(path, Model(network=network, parameters=np.zeros(network.size, np.float32)))
    with pytest.raises(SpecError, match="not a classifier"):
        LearnedClassifier(gate=str(path))
    with pytest.raises(ValueError, match="knows no noise"):
        LearnedClassifier(gate=kinds_file(tmp_path / "kinds.npz"))
    with pytest.raises(SpecError, match="not a classifier"):
        LearnedClassifier(
            gate="", kinds=kinds_file(tmp_path / "w.npz", types=("witchcraft", "earthquake"))
        )
    with pytest.raises(ValueError, match="as gate, as kinds"):
        LearnedClassifier(gate="")


def test_three_output_file_for_two_classes_is_refused(tmp_path):
    path = tmp_path / "three.npz"
    kinds_file(path)
    model = load_model(path)
    network = multilayer((9, 3))
    save_model(
        path,
        replace(model, network=network, parameters=np.zeros(network.size, "f4"), head="softmax"),
    )
    with pytest.raises(SpecError, match="3 outputs"):
        LearnedClassifier(gate="", kinds=str(path))


def test_packaged_models_are_small_and_have_cards():
    assert {"esec", "montserrat", "noise-event"} <= set(packaged_classifiers())
    for name in packaged_classifiers():
        path = network_folder() / f"{name}.npz"
        assert path.stat().st_size < 1_000_000
        card = path.with_suffix(".md").read_text(encoding="utf-8")
        assert "## Limits" in card
        model = find_class_model(name)
        assert model.name == name
        # No class is told of nothing but zeros with certainty.
        told = model.probabilities(np.zeros((1, model.network.network.inputs), np.float32))
        assert told.shape == (1, len(model.classes))
        assert told.sum() == pytest.approx(1)


@pytest.fixture(scope="module")
def ridgecrest(shared):
    from zilzal.io.archive import Archive

    folder = shared / "data/continuous/ridgecrest_2019-07-07"
    with (folder / "catalogue.csv").open(newline="") as file:
        events = [
            Time.parse(row["time"]) for row in csv.DictReader(file) if float(row["magnitude"]) > 2.5
        ]
    with (shared / "peers/consensus/ridgecrest_2019-07-07.csv").open(newline="") as file:
        picks = [
            Pick(
                channel_id=ChannelId(
                    row["network"], row["station"], row["location"], row["channel_group"] + "Z"
                ),
                phase=Phase.P,
                time=Time.parse(row["time"]),
                probability=0.9,
                uncertainty_s=0.1,
                provenance=MADE,
            )
            for row in csv.DictReader(file)
            if row["phase"] == "P"
        ]
    return Archive.open(folder), events, picks


def test_real_events_of_ridgecrest_pass_the_gate(ridgecrest):
    archive, events, picks = ridgecrest
    classifier = LearnedClassifier(maximum_stations=6)
    told = []
    for time in events[:5]:
        near = tuple(pick for pick in picks if 0 < pick.time - time < 20)
        found = classifier.classify(
            Evidence(
                origin=Unlocated(reason="not asked", time=time),
                picks=near,
                detections=(),
                magnitudes=(),
                waveforms=archive,
                inventory=Inventory.of(()),
            )
        )
        told.append(found.event_type)
    assert told.count(EventType.EARTHQUAKE) == len(told) == 5


def test_quiet_minutes_of_anza_are_rejected(shared):
    from zilzal.io.archive import Archive

    archive = Archive.open(shared / "data/continuous/anza_1998-01-01")
    sensors = sorted({channel.sensor_id for channel in archive.channel_ids()})
    told = []
    # The pickers saw nothing for minutes around these instants at any of the three stations.
    for clock in ("00:20:00", "04:05:00", "12:00:00"):
        time = Time.parse(f"1998-01-01T{clock}Z")
        found = LearnedClassifier().classify(
            Evidence(
                origin=Unlocated(reason="not asked", time=time),
                picks=tuple(pick_at(s, time) for s in sensors),
                detections=(),
                magnitudes=(),
                waveforms=archive,
                inventory=Inventory.of(()),
            )
        )
        told.append(found.label)
    assert told == ["noise"] * 3


def test_operation_sees_what_training_saw(shared):
    """Records of a real event, through the plug-in and through the training's table."""
    from zilzal.train.classifier import tasks
    from zilzal.train.excerpts import read_kinds, whole_table

    task = tasks(shared)["montserrat"]
    excerpts = read_kinds(task.folder, sampling_rate=task.sampling_rate)
    event = next(e.event for e in excerpts if e.label == "long-period")
    chosen = [e for e in excerpts if e.event == event]
    table = whole_table(task.training.features, chosen)
    model = find_class_model("montserrat")
    expected = fuse(model.probabilities(table.x), model.correlation)

    records = {SensorId(*e.station.split("."), "", "SB"): e.samples for e in chosen}
    waveforms = Waveforms(records, rate=task.sampling_rate, start=TIME)
    # So that the window begins where the record does.
    onset = TIME + task.training.features.lead_s
    given = replace(
        evidence({}), picks=tuple(pick_at(s, onset) for s in records), waveforms=waveforms
    )
    found = LearnedClassifier(gate="", kinds="montserrat", maximum_stations=20).classify(given)
    assert len(chosen) > 1
    # Counts of the made waveforms are rounded to whole numbers.
    assert list(found.probabilities.values()) == pytest.approx(expected.tolist(), abs=0.02)
    assert found.label == model.classes[int(np.argmax(expected))]
