"""An analyst at work in a browser.

One console and its store for all: each test goes on from whatever version it finds.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.app.short import Ran
from tests.console.conftest import PATIENCE_MS, Watched
from tests.web.conftest import Places, Served, serving
from zilzal.core.time import Time
from zilzal.web.access.gate import Access

SENSOR_LEFT, SENSOR_RIGHT = 124, 8
"""Room beside the traces of a sensor [px], as in console/src/pages/event/sensor.tsx."""

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def desk(
    short_run: Ran, places: Places, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """A console on a copy of the run, whose visitor may judge."""
    folder = tmp_path_factory.mktemp("desk") / "out"
    shutil.copytree(short_run.output, folder)
    with serving(folder, places, Access(analyst="mina")) as served:
        yield served


def newest(desk: Served, order: str = "newest") -> dict:
    line = desk.get("/api/events", order=order, limit=1)["items"][0]
    return desk.get(f"/api/events/{line['id']}")


def versions_of(desk: Served, event: dict) -> int:
    return desk.get(f"/api/events/{event['id']}")["version"]


def title_of(page: Page) -> Locator:
    return page.get_by_role("heading", level=1)


def choose_pick(page: Page, desk: Served, event: dict) -> dict:
    """The first station's P pick, chosen with a click."""
    section = desk.get(f"/api/events/{event['id']}/section")
    first = next(item for item in section["items"] if item["picks"])
    pick = next(p for p in first["picks"] if p["phase"] == "P")
    page.mouse.click(*place_of(page, section, pick["time"]))
    expect(page.get_by_role("toolbar")).to_contain_text(f"P at {pick['station']}")
    return pick


def open_event(page: Page, desk: Served, event: dict) -> None:
    page.goto(f"{desk.address}/#/events/{event['id']}")
    page.get_by_role("img", name="Traces of").wait_for()
    expect(page.get_by_role("heading", level=1)).to_contain_text("UTC")
    expect(page.get_by_role("region", name="Arrivals").get_by_role("row")).to_have_count(
        len(event["origin"]["arrivals"]) + 1
    )
    # The page hears keys once it is painted, which takes a while on a busy machine.
    page.evaluate("() => new Promise(r => requestAnimationFrame(() => setTimeout(r, 0)))")


def place_of(page: Page, section: dict, time: str) -> tuple[float, float]:
    """Where an instant is on the traces of the sensor that is shown whole."""
    box = page.get_by_role("img", name="Traces of").bounding_box()
    assert box
    start, end = Time.parse(section["start"]), Time.parse(section["end"])
    share = (Time.parse(time) - start) / (end - start)
    width = box["width"] - SENSOR_LEFT - SENSOR_RIGHT
    return box["x"] + SENSOR_LEFT + share * width, box["y"] + 40


def drag(page: Page, start: tuple[float, float], by: float) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(start[0] + by / 2, start[1])
    page.mouse.move(start[0] + by, start[1])
    page.mouse.up()


def test_dragged_pick_moves_the_event_and_survives_a_reload(watched: Watched, desk: Served):
    page, event = watched.page, newest(desk)
    open_event(page, desk, event)
    section = desk.get(f"/api/events/{event['id']}/section")
    first = next(item for item in section["items"] if item["picks"])
    pick = next(p for p in first["picks"] if p["phase"] == "P")
    facts = page.locator(".facts-line")
    before = facts.text_content() or ""

    drag(page, place_of(page, section, pick["time"]), 40)
    unsaved = page.get_by_text("Not saved")
    unsaved.wait_for()
    expect(page.locator(".unsaved")).to_contain_text("moved by")
    expect(facts).not_to_have_text(before)
    assert desk.get(f"/api/events/{event['id']}")["version"] == event["version"]

    page.get_by_role("button", name="Save", exact=True).click()
    expect(unsaved).to_have_count(0)
    expect(facts).to_contain_text("judged by mina")
    saved = facts.text_content() or ""
    page.reload()
    expect(facts).to_have_text(saved)
    stored = desk.get(f"/api/events/{event['id']}")
    assert stored["version"] == event["version"] + 1
    assert stored["author"] == "mina"
    moved = next(
        p for p in stored["picks"] if p["station"] == first["station"] and p["phase"] == "P"
    )
    assert moved["evaluation_mode"] == "manual"
    assert Time.parse(moved["time"]) - Time.parse(pick["time"]) > 0.1
    watched.assert_clean()


def test_keys_set_delete_and_take_back_picks(watched: Watched, desk: Served):
    page, event = watched.page, newest(desk)
    open_event(page, desk, event)
    section = desk.get(f"/api/events/{event['id']}/section")
    pick = choose_pick(page, desk, event)
    x, y = place_of(page, section, pick["time"])
    page.keyboard.press("Delete")
    expect(page.locator(".unsaved")).to_contain_text(f"P at {pick['station']} removed")
    page.keyboard.press("z")
    expect(page.locator(".unsaved")).to_have_count(0)
    page.mouse.move(x + 60, y)
    page.keyboard.press("p")
    expect(page.locator(".unsaved")).to_contain_text(f"P at {pick['station']} moved by")
    watched.assert_clean()


def test_event_is_typed_commented_rejected_and_taken_back(watched: Watched, desk: Served):
    page, event = watched.page, newest(desk)
    open_event(page, desk, event)
    page.get_by_label("Type").select_option("explosion")
    expect(page.get_by_role("heading", level=1)).to_contain_text("explosion")
    page.get_by_role("button", name="Comment").click()
    hostile = "<img src=x onerror=alert(1)> felt in the valley"
    page.get_by_label("Comment", exact=True).fill(hostile)
    page.get_by_role("button", name="Save comment").click()
    page.get_by_role("button", name="Provenance").click()
    expect(page.get_by_role("region", name="Provenance")).to_contain_text(hostile)
    page.get_by_role("button", name="Reject").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("noise")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("explosion")
    stored = desk.get(f"/api/events/{event['id']}")
    assert (stored["event_type"], stored["comment"]) == ("explosion", hostile)
    page.get_by_role("button", name="Versions").click()
    versions = page.get_by_role("list", name="Versions").get_by_text("mina")
    expect(versions).to_have_count(stored["version"] - 1)
    assert stored["version"] == event["version"] + 4
    watched.assert_clean()


def test_weight_set_by_a_key_is_saved(watched: Watched, desk: Served):
    page, event = watched.page, newest(desk)
    open_event(page, desk, event)
    pick = choose_pick(page, desk, event)
    page.keyboard.press("3")
    expect(page.locator(".unsaved")).to_contain_text(pick["station"])
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".unsaved")).to_have_count(0)
    assert versions_of(desk, event) == event["version"] + 1
    page.reload()
    arrival = page.get_by_role("region", name="Arrivals").get_by_role("row")
    row = arrival.filter(has_text=pick["station"]).filter(has=page.get_by_text("P", exact=True))
    expect(row.get_by_role("cell").last).to_have_text("0.40")
    watched.assert_clean()


def test_keys_confirm_reject_and_undo(watched: Watched, desk: Served):
    # The one that no other test judges: confirming what is confirmed is no new version.
    page, event = watched.page, newest(desk, "oldest")
    open_event(page, desk, event)
    facts = page.locator(".facts-line")
    page.keyboard.press("Enter")
    expect(facts).to_contain_text(f"version {event['version'] + 1}")
    expect(facts).to_contain_text("judged by mina")
    page.keyboard.press("x")
    expect(title_of(page)).to_contain_text("noise")
    page.reload()
    expect(title_of(page)).to_contain_text("noise")
    expect(facts).to_contain_text(f"version {event['version'] + 2}")
    page.keyboard.press("z")
    expect(title_of(page)).not_to_contain_text("noise")
    page.reload()
    expect(facts).to_contain_text(f"version {event['version'] + 3}")
    assert desk.get(f"/api/events/{event['id']}")["event_type"] == event["event_type"]
    watched.assert_clean()


def test_keys_open_a_comment_and_save_it(watched: Watched, desk: Served):
    page, event = watched.page, newest(desk)
    open_event(page, desk, event)
    page.keyboard.press("c")
    field = page.get_by_label("Comment", exact=True)
    expect(field).to_be_focused()
    page.keyboard.press("Escape")
    expect(field).to_have_count(0)
    page.keyboard.press("c")
    field.fill("a shake on the second floor")
    page.keyboard.press("Control+Enter")
    expect(field).to_have_count(0)
    assert versions_of(desk, event) == event["version"] + 1
    page.goto(f"{desk.address}/#/events/{event['id']}?tab=made")
    page.reload()
    provenance = page.get_by_role("region", name="Provenance")
    expect(provenance).to_contain_text("a shake on the second floor")
    watched.assert_clean()


def test_event_is_split_and_merged_again(watched: Watched, desk: Served):
    page, event = watched.page, newest(desk)
    open_event(page, desk, event)
    page.keyboard.press("d")
    choices = page.get_by_role("group", name="Picks of the new event")
    taken = event["picks"][-1]
    choices.get_by_label(f"{taken['station']} {taken['phase']}").check()
    choices.locator("..").get_by_role("button", name="Split").click()
    page.wait_for_url(lambda url: not url.endswith(event["id"]))
    facts = page.locator(".facts-line")
    expect(page.get_by_text("Not located")).to_be_visible()
    page.reload()
    expect(page.get_by_text("Not located")).to_be_visible()
    left = desk.get(f"/api/events/{event['id']}")
    assert left["version"] == event["version"] + 1
    assert len(left["picks"]) == len(event["picks"]) - 1

    open_event(page, desk, left)
    page.keyboard.press("m")
    page.get_by_role("button", name="Take in").filter(has_text="not located").click()
    expect(facts).to_contain_text(f"version {left['version'] + 1}")
    page.reload()
    expect(facts).to_contain_text(f"version {left['version'] + 1}")
    whole = desk.get(f"/api/events/{event['id']}")
    assert len(whole["picks"]) == len(event["picks"])
    watched.assert_clean()
