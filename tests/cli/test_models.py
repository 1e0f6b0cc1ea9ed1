"""`zilzal models`."""

from zilzal.infer.packaged import packaged_models


def test_packaged_networks_are_listed(call):
    said = call("models", "list")
    assert packaged_models()
    assert [name for name in packaged_models() if name not in said] == []


def test_card_is_shown(call):
    said = call("models", "show", packaged_models()[0])
    assert "thresholds: P 0." in said
    assert "seed " in said
    assert f"{packaged_models()[0]}.onnx" in said


def test_unknown_network_is_refused(refuse):
    said = refuse("models", "show", "phasenett")
    assert "ModelError: no network 'phasenett'" in said
    assert packaged_models()[0] in said


def test_file_that_is_no_network_is_refused(refuse, tmp_path):
    path = tmp_path / "network.onnx"
    path.write_bytes(b"nothing")
    assert "SpecError: not an ONNX file" in refuse("models", "show", path)
