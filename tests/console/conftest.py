"""The built page in a real browser, over a console that is served as in operation."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from importlib import resources
from typing import NoReturn

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.web.conftest import console, desk, places, short, short_run

__all__ = ["console", "desk", "places", "short", "short_run"]

ARGUMENTS = [
    "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
]  # fmt: skip
NO_MAP = ["--disable-gpu", "--disable-3d-apis"]
WITH_MAP = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
PATIENCE_MS = 60_000
"""Machines that test are slow; what is waited for comes much sooner on others."""

WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`);
});
"""


def _lack(what: str) -> NoReturn:
    """Fail under CI, where it must be there; skip elsewhere."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium."""
    if not resources.files("zilzal.web").joinpath("static", "console", "index.html").is_file():
        _lack("the console's page is not built; run python3 dev.py setup")
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next((path for path in map(shutil.which, names) if path), None)
    return found or _lack("there is no Chromium; install Debian's package chromium")


def _open(chromium: str, arguments: list[str]) -> Iterator[Browser]:
    # One at a time and closed after each module: while it is open, asyncio.run refuses to work.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=[*ARGUMENTS, *arguments]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def browser(chromium: str, request: pytest.FixtureRequest) -> Iterator[Browser]:
    """A browser; without WebGL, which is slow in software, unless the module wants maps."""
    yield from _open(chromium, WITH_MAP if getattr(request.module, "MAPS", False) else NO_MAP)


class Watched:
    """A page, and what it complained of.

    Args:
        context: of the browser; closed with the page.
    """

    def __init__(self, context: BrowserContext) -> None:
        self.complaints: list[str] = []
        context.add_init_script(WATCH)
        self.page: Page = context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._see)

    def _hear(self, message: object) -> None:
        kind, text = message.type, message.text  # type: ignore[attr-defined]
        if kind in ("error", "warning") and "GPU stall" not in text and "WebGL" not in text:
            self.complaints.append(f"{kind}: {text}")

    def _see(self, request: object) -> None:
        url: str = request.url  # type: ignore[attr-defined]
        if not url.startswith(("http://127.0.0.1:", "blob:http://127.0.0.1:", "data:")):
            self.complaints.append(f"asked elsewhere: {url}")

    def assert_clean(self) -> None:
        """Nothing was complained of, and nothing broke the page's own rules."""
        assert self.page.evaluate("window.violations") == []
        assert self.complaints == []


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    """A page at the size of a desktop."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="dark")
    yield Watched(context)
    context.close()


@pytest.fixture
def phone(browser: Browser) -> Iterator[Watched]:
    """A page at the size of a phone, in daylight."""
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, color_scheme="light", has_touch=True
    )
    yield Watched(context)
    context.close()
