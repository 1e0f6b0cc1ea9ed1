"""Parts by name: ours are found as anyone's are."""

from importlib.metadata import EntryPoint

import pytest

from zilzal.app import registry
from zilzal.core.alert import AlertSink
from zilzal.core.errors import PluginError
from zilzal.core.stage import (
    Associator,
    Classifier,
    Locator,
    MagnitudeScale,
    PacketSource,
    Picker,
)

PROTOCOLS = {
    "pickers": Picker,
    "associators": Associator,
    "locators": Locator,
    "magnitudes": MagnitudeScale,
    "classifiers": Classifier,
    "sources": PacketSource,
    "alerts": AlertSink,
}
REQUIRED = {
    "dataselect": {"url": "http://localhost/query", "channels": ("*.*.*.*",)},
    "folder": {"folder": "."},
    "seedlink": {"server": "localhost"},
    "playback": {"paths": ("waveforms",)},
    "webhook": {"url": "https://example.org"},
    "ntfy": {"url": "https://example.org/topic"},
    "mail": {"server": "localhost:25", "sender": "a@b.org", "recipients": ("c@d.org",)},
    "command": {"command": ("true",)},
    "mqtt": {"server": "localhost:1883", "topic": "zilzal/events"},
}
"""Options that have no default."""


@pytest.mark.parametrize("kind", registry.GROUPS)
def test_every_registered_part_keeps_its_protocol(kind):
    assert registry.available(kind)
    for name in registry.available(kind):
        assert isinstance(registry.load(kind, name)(**REQUIRED.get(name, {})), PROTOCOLS[kind])


def test_parts_are_in_order_of_name():
    assert list(registry.available("pickers")) == sorted(registry.available("pickers"))
    assert {"neural", "stalta"} <= set(registry.available("pickers"))


def test_unknown_kind_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="no such kind of part: 'cooks'"):
        registry.available("cooks")


def test_unknown_name_lists_what_is_installed():
    with pytest.raises(PluginError, match=r"no part named 'phasenet' .* neural, stalta"):
        registry.load("pickers", "phasenet")


@pytest.mark.parametrize("value", ["zilzal.nowhere:Part", "zilzal.pick.stalta:Absent"])
def test_part_that_cannot_be_loaded_says_why(monkeypatch, value):
    point = EntryPoint(name="broken", value=value, group="zilzal.pickers")
    monkeypatch.setattr(registry, "entry_points", lambda group: [point])
    with pytest.raises(PluginError, match=f"'broken' of pickers .{value}. cannot be loaded"):
        registry.load("pickers", "broken")
