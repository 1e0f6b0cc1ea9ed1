"""Finding networks: packaged, the user's own, by path."""

import sys
from pathlib import Path

import pytest

from tests.infer.networks import save_network
from zilzal.core.errors import ModelError
from zilzal.infer.folders import user_cache_folder, user_model_folder
from zilzal.infer.packaged import find_model, models_in, packaged_models

linux_only = pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="XDG's folders")


@linux_only
def test_own_networks_are_found_by_name_and_packaged_ones_go_first(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    own = tmp_path / "zilzal" / "models"
    own.mkdir(parents=True)
    path = save_network(own, name="mine")
    (packaged, *_) = packaged_models()
    save_network(own, name=packaged)
    assert find_model("mine") == path
    assert find_model(packaged).parent != own
    assert models_in(own) == sorted(["mine", packaged])
    with pytest.raises(ModelError, match=r"nor one of your own .*mine"):
        find_model("others")


@linux_only
def test_folders_follow_the_platforms_custom(monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", "/somewhere/data")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/is/ignored")
    assert user_model_folder() == Path("/somewhere/data/zilzal/models")
    assert user_cache_folder() == Path.home() / ".cache" / "zilzal" / "cache"
    monkeypatch.delenv("XDG_DATA_HOME")
    assert user_model_folder() == Path.home() / ".local" / "share" / "zilzal" / "models"


def test_folder_that_is_not_there_has_no_networks(tmp_path):
    assert models_in(tmp_path / "none") == []
