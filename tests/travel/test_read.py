"""Earth models from files."""

import pytest

from zilzal.core.errors import FormatError
from zilzal.core.pick import Phase
from zilzal.travel import Layer, built_in_names, load_model

TOML = """
name = "mine"
source = "a refraction line"
spherical = true
max_distance_m = 200000

[[layer]]
top_m = -1200
p_speed_m_per_s = 3000
s_speed_m_per_s = 1500
p_speed_bottom_m_per_s = 5000

[[layer]]
top_m = 2000
p_speed_m_per_s = 6000
s_speed_m_per_s = 3500
"""
CSV = """# top, speeds
top_m, p_speed_m_per_s, s_speed_m_per_s, p_speed_bottom_m_per_s
-1200, 3000, 1500, 5000
2000, 6000, 3500,
"""
LAYERS = (
    Layer(top_m=-1200, p_speed_m_per_s=3000, s_speed_m_per_s=1500, p_speed_bottom_m_per_s=5000),
    Layer(top_m=2000, p_speed_m_per_s=6000, s_speed_m_per_s=3500),
)


def test_built_in_models_are_read():
    assert built_in_names() == ("ak135", "hadley-kanamori", "half-space")
    models = {name: load_model(name) for name in built_in_names()}
    assert all(model.name == name and model.source for name, model in models.items())
    assert [layer.top_m for layer in models["hadley-kanamori"].layers] == [0, 5500, 16000, 32000]
    assert models["ak135"].spherical
    assert models["ak135"].layers[3].speeds_m_per_s(Phase.S) == (4490, 4500)


def test_toml_model_is_read(tmp_path):
    path = tmp_path / "local.toml"
    path.write_text(TOML)
    model = load_model(path)
    assert (model.name, model.source, model.spherical) == ("mine", "a refraction line", True)
    assert model.max_distance_m == 200_000
    assert model.layers == LAYERS


def test_csv_model_is_read(tmp_path):
    path = tmp_path / "local.csv"
    path.write_text(CSV)
    model = load_model(str(path))
    assert (model.name, model.layers, model.spherical) == ("local", LAYERS, False)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.toml", "layer = [", "not TOML"),
        ("a.toml", "depth = 3", "unknown key 'depth'"),
        ("a.toml", "spherical = 3", "expected bool"),
        ("a.toml", "name = 'empty'", "no layers"),
        ("a.toml", "layer = 3", r"\[\[layer\]\]"),
        ("a.toml", TOML.replace("top_m = 2000", "top = 2000"), r"unknown \['top'\], missing \['top_m'\]"),
        ("a.toml", TOML.replace("top_m = 2000", "top_m = -1300"), "must increase"),
        ("a.toml", TOML.replace("= 3500", "= 7000"), "0 < S < P"),
        ("a.csv", CSV.replace("6000", "six"), "layer 2: .* not all numbers"),
        ("a.csv", CSV.replace("top_m", "top"), "unknown"),
        ("a.csv", CSV.replace("2000, 6000, 3500,", "2000, 6000"), "missing"),
        ("a.csv", CSV.replace("3500,", "3500, 7000"), "half-space"),
        ("a.csv", CSV.replace("3500,", "3500,,,"), "unknown"),
        ("a.csv", CSV.replace("6000, 3500", "nan, 3500"), "0 < S < P"),
        ("a.csv", "", "no layers"),
    ],
)  # fmt: skip
def test_bad_model_is_refused_with_its_reason(tmp_path, name, text, said):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(FormatError, match=said):
        load_model(path)


def test_unknown_model_is_refused(tmp_path):
    with pytest.raises(FormatError, match="ak135"):
        load_model("iasp91")
    with pytest.raises(FormatError, match="cannot read"):
        load_model(tmp_path / "none.toml")
    (tmp_path / "latin.csv").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(FormatError, match="cannot read"):
        load_model(tmp_path / "latin.csv")
