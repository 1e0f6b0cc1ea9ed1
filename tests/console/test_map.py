"""The map, with WebGL in software."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.console.conftest import PATIENCE_MS, Watched
from tests.web.conftest import Served

MAPS = True

expect.set_options(timeout=PATIENCE_MS)


def test_map_draws_the_land_and_asks_nobody_else(watched: Watched, console: Served):
    page = watched.page
    with page.expect_response(lambda response: "countries-" in response.url):
        page.goto(f"{console.address}/#/now")
    canvas = page.locator(".maplibregl-canvas")
    canvas.wait_for()
    page.wait_for_function(
        """async () => {
          const canvas = document.querySelector(".maplibregl-canvas");
          const picture = await createImageBitmap(canvas);
          const small = new OffscreenCanvas(64, 64);
          const pen = small.getContext("2d");
          await new Promise(requestAnimationFrame);
          pen.drawImage(picture, 0, 0, 64, 64);
          const { data } = pen.getImageData(0, 0, 64, 64);
          const seen = new Set();
          for (let i = 0; i < data.length; i += 4) seen.add(data.slice(i, i + 3).join());
          return seen.size > 3 || undefined;
        }"""
    )
    expect(page.get_by_role("region", name="Map of the stations")).to_be_visible()
    watched.assert_clean()
