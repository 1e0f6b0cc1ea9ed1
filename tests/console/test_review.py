"""An analyst at work in a browser."""

from __future__ import annotations

from dataclasses import replace

from playwright.sync_api import Page, expect

from tests.console.conftest import PATIENCE_MS, Watched
from tests.web.conftest import Served
from zilzal.core.time import Time

SENSOR_LEFT, SENSOR_RIGHT = 124, 8
"""Room beside the traces of a sensor [px], as in console/src/pages/event/sensor.tsx."""

expect.set_options(timeout=PATIENCE_MS)


def newest(desk: Served) -> dict:
    line = desk.get("/api/events", order="newest", limit=1)["items"][0]
    return desk.get(f"/api/events/{line['id']}")


def open_event(page: Page, desk: Served, event: dict) -> None:
    page.goto(f"{desk.address}/#/events/{event['id']}")
    page.get_by_role("img", name="Traces of").wait_for()
    expect(page.get_by_role("heading", level=1)).to_contain_text("UTC")
    expect(page.get_by_role("region", name="Arrivals").get_by_role("row")).to_have_count(
        len(event["origin"]["arrivals"]) + 1
    )


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
    first = next(item for item in section["items"] if item["picks"])
    pick = next(p for p in first["picks"] if p["phase"] == "P")
    x, y = place_of(page, section, pick["time"])
    page.mouse.click(x, y)
    expect(page.get_by_role("toolbar")).to_contain_text(f"P at {first['station']}")
    page.keyboard.press("Delete")
    expect(page.locator(".unsaved")).to_contain_text(f"P at {first['station']} removed")
    page.keyboard.press("z")
    expect(page.locator(".unsaved")).to_have_count(0)
    page.mouse.move(x + 60, y)
    page.keyboard.press("p")
    expect(page.locator(".unsaved")).to_contain_text(f"P at {first['station']} moved by")
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
    expect(page.get_by_role("list", name="Versions").get_by_text("mina")).to_have_count(4)
    watched.assert_clean()


def test_new_event_appears_by_itself(watched: Watched, desk: Served):
    page, store = watched.page, desk.held.store
    event = store.event(newest(desk)["id"])
    assert event is not None
    page.goto(f"{desk.address}/#/now")
    rows = page.get_by_role("region", name="Latest events").get_by_role("row")
    expect(rows.first).to_be_visible()
    expect(page.locator(".clock")).to_contain_text("connected")
    shown = rows.count()
    store.put_events([replace(event, id="zz-another", version=1)])
    expect(rows).to_have_count(shown + 1)
    expect(page.get_by_text("New event:")).to_be_attached()
    watched.assert_clean()
