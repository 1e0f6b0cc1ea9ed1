"""Finding SeisBench's models by name and in files."""

import json
import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="extra train")
pytest.importorskip("seisbench", reason="extra seisbench")

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import seisbench
    import seisbench.models as sbm

from zilzal.core.errors import ModelError  # noqa: E402
from zilzal.train.zoo import Construction, find_seisbench  # noqa: E402

pytestmark = [
    pytest.mark.torch,
    pytest.mark.filterwarnings("ignore"),  # raised inside SeisBench
]

MODEL = sbm.PhaseNetLight(phases="PSN", component_order="ENZ")
PLAIN = Construction(arguments={})
LIGHT = Construction(kind="PhaseNetLight", arguments={"phases": "PSN"})


def same(found):
    ours, theirs = found.model.state_dict(), MODEL.state_dict()
    return all(torch.equal(ours[name], theirs[name]) for name in theirs)


@pytest.fixture
def pair(tmp_path):
    folder = tmp_path / "phasenetlight"
    folder.mkdir()
    MODEL.save(folder / "mine", weights_docstring="made up", version_str="3")
    return folder


@pytest.mark.parametrize("name", ["", "mine", "mine.json.v3", "mine.pt.v3"])
def test_pair_that_seisbench_saves_is_found_by_any_of_its_names(pair, name):
    found = find_seisbench(str(pair / name if name else pair), PLAIN)
    assert same(found)
    assert found.model.component_order == "ENZ"
    assert (found.name, found.model.weights_docstring) == ("phasenetlight-mine", "made up")


def test_folder_with_several_models_wants_a_name(pair):
    MODEL.save(pair / "other")
    with pytest.raises(ModelError, match=r"several models; name one of .*mine.json.v3.*other.json"):
        find_seisbench(str(pair), PLAIN)
    assert same(find_seisbench(str(pair / "other"), PLAIN))


def test_pair_elsewhere_wants_its_class(pair, tmp_path):
    moved = pair.rename(tmp_path / "somewhere")
    with pytest.raises(ModelError, match="of which class"):
        find_seisbench(str(moved), PLAIN)
    assert same(find_seisbench(str(moved), LIGHT))
    with pytest.raises(ModelError, match="are no GPD"):
        find_seisbench(str(moved), Construction(kind="GPD", arguments={}))


def test_pair_whose_weights_are_a_pickled_object_is_refused(pair):
    torch.save(MODEL, pair / "mine.pt.v3")
    with pytest.raises(ModelError, match="are no PhaseNetLight"):
        find_seisbench(str(pair), PLAIN)


@pytest.mark.parametrize("form", ["state", "lightning", "arrays"])
def test_parameters_are_filled_into_the_class_named(tmp_path, form):
    state = MODEL.state_dict()
    path = tmp_path / ("weights.npz" if form == "arrays" else "weights.pt")
    if form == "arrays":
        np.savez(path, **{name: value.numpy() for name, value in state.items()})
    elif form == "state":
        torch.save(state, path)
    else:
        renamed = {f"model.{name}": value for name, value in state.items()}
        torch.save({"state_dict": renamed, "epoch": 3}, path)
    found = find_seisbench(str(path), LIGHT)
    assert same(found)
    assert found.name == "phasenetlight-weights"
    with pytest.raises(ModelError, match="without a class"):
        find_seisbench(str(path), PLAIN)
    with pytest.raises(ModelError, match="of another class"):
        find_seisbench(str(path), Construction(kind="EQCCTP", arguments={}))
    with pytest.raises(ModelError, match="do not fit"):
        find_seisbench(str(path), Construction(kind="BasicPhaseAE", arguments={}))


class Trap:
    """What runs when it is unpickled."""

    def __reduce__(self):
        return (json.loads, ('{"ran": true}',))


def test_pickled_object_is_refused_unless_trusted(tmp_path):
    path = tmp_path / "object.pt"
    torch.save(MODEL, path)
    with pytest.raises(ModelError, match="A pickled object is code"):
        find_seisbench(str(path), PLAIN)
    found = find_seisbench(str(path), Construction(arguments={}, unpickle=True))
    assert same(found)
    assert found.name == "phasenetlight-object"
    torch.save(Trap(), path)
    with pytest.raises(ModelError, match="A pickled object is code"):
        find_seisbench(str(path), PLAIN)


def test_arrays_that_hold_objects_are_refused(tmp_path):
    path = tmp_path / "objects.npz"
    np.savez(path, weights=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ModelError, match="no arrays of parameters"):
        find_seisbench(str(path), LIGHT)


@pytest.mark.parametrize(
    ("source", "how", "message"),
    [
        ("nothing.pt", PLAIN, "neither a file nor a name"),
        ("Nothing/original", PLAIN, "none of SeisBench's PhaseNet"),
        ("DKPN/original", PLAIN, "none of SeisBench's PhaseNet"),
    ],
)
def test_what_there_is_not_is_refused_with_what_there_is(source, how, message):
    with pytest.raises(ModelError, match=message):
        find_seisbench(source, how)


def test_wrong_arguments_and_broken_files_are_refused(tmp_path):
    path = tmp_path / "weights.pt"
    torch.save(MODEL.state_dict(), path)
    with pytest.raises(ModelError, match="cannot be made with"):
        find_seisbench(str(path), Construction(kind="GPD", arguments={"colour": "red"}))
    path.write_bytes(b"hello")
    with pytest.raises(ModelError, match="no file of PyTorch's"):
        find_seisbench(str(path), LIGHT)


def test_weights_that_cannot_be_downloaded_say_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr(seisbench, "cache_model_root", tmp_path)
    monkeypatch.setattr(seisbench, "remote_model_root", "http://127.0.0.1:9/")
    with pytest.raises(ModelError, match=r"cannot give PhaseNet/original.*need the network"):
        find_seisbench("PhaseNet/original", PLAIN)


def test_weights_that_seisbench_keeps_need_no_network(monkeypatch, tmp_path):
    monkeypatch.setattr(seisbench, "cache_model_root", tmp_path)
    monkeypatch.setattr(seisbench, "remote_model_root", "http://127.0.0.1:9/")
    folder = tmp_path / "phasenetlight"
    folder.mkdir()
    MODEL.save(folder / "mine", version_str="2")
    found = find_seisbench("PhaseNetLight/mine", PLAIN)
    assert same(found)
    assert found.name == "phasenetlight-mine"
    assert "from_pretrained('mine')" in found.origin
