"""All pages, as a reader opens them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from playwright.sync_api import expect

from tests.console.conftest import PATIENCE_MS, Watched
from tests.web.conftest import Served

expect.set_options(timeout=PATIENCE_MS)

PARTS = {
    "now": ("region", "Latest events"),
    "events": ("img", "Record section of"),
    "catalogue": ("region", "Table of events"),
    "stations": ("img", "Helicorder of"),
}


@pytest.mark.parametrize("place", PARTS)
def test_page_opens_without_a_complaint(watched: Watched, console: Served, place: str):
    page = watched.page
    page.goto(f"{console.address}/#/{place}")
    role, name = PARTS[place]
    expect(page.get_by_role(role, name=name).first).to_be_visible()  # type: ignore[arg-type]
    expect(page.get_by_role("alert")).to_have_count(0)
    watched.assert_clean()


@pytest.mark.parametrize("place", PARTS)
def test_page_fits_a_phone(phone: Watched, console: Served, place: str):
    page = phone.page
    page.goto(f"{console.address}/#/{place}")
    role, name = PARTS[place]
    expect(page.get_by_role(role, name=name).first).to_be_visible()  # type: ignore[arg-type]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    phone.assert_clean()


def test_one_who_only_looks_cannot_judge(watched: Watched, console: Served):
    page = watched.page
    page.goto(f"{console.address}/#/events")
    expect(page.get_by_role("heading", level=1)).to_contain_text("UTC")
    expect(page.get_by_role("region", name="Arrivals")).to_be_visible()
    expect(page.get_by_role("toolbar", name="Judge")).to_have_count(0)


def test_link_restores_the_search(watched: Watched, console: Served):
    page = watched.page
    page.goto(f"{console.address}/#/catalogue")
    rows = page.get_by_role("region", name="Table of events").get_by_role("row")
    expect(rows.first).to_be_visible()
    total = console.get("/api/events", limit=1)["total"]
    expect(rows).to_have_count(total + 1)
    largest = console.get("/api/events", order="largest", limit=1)["items"][0]["magnitude"]
    page.get_by_label("Magnitude, at least").fill(str(round(largest - 0.01, 2)))
    page.keyboard.press("Tab")
    expect(rows).to_have_count(2)
    page.reload()
    expect(rows).to_have_count(2)
    with page.expect_download() as download:
        page.get_by_role("link", name="Export").click()
    assert download.value.suggested_filename.startswith("events.")
    watched.assert_clean()


def test_help_opens_and_closes_by_keys(watched: Watched, console: Served):
    page = watched.page
    page.goto(f"{console.address}/#/now")
    expect(page.get_by_role("navigation", name="Pages")).to_be_visible()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys and colours")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_theme_is_the_system_s_until_one_is_chosen(watched: Watched, console: Served):
    page = watched.page
    page.goto(f"{console.address}/#/now")
    root = page.locator("html")
    expect(root).to_have_attribute("data-theme", "dark")
    page.get_by_role("button", name="Change to light colours").click()
    expect(root).to_have_attribute("data-theme", "light")
    page.reload()
    expect(root).to_have_attribute("data-theme", "light")


def test_new_event_appears_by_itself(watched: Watched, desk: Served):
    page, store = watched.page, desk.held.store
    event = store.event(desk.get("/api/events", limit=1)["items"][0]["id"])
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
