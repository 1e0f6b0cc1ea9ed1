"""The page itself: files that were built into the package."""

from __future__ import annotations

from importlib.resources.abc import Traversable

from fastapi import FastAPI, Response

from zilzal.web.refusal import not_found

_KINDS = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "ico": "image/x-icon",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "map": "application/json",
    "png": "image/png",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
    "webmanifest": "application/manifest+json",
    "woff2": "font/woff2",
    "pbf": "application/x-protobuf",
}

_UNBUILT = """<!doctype html><html lang="en"><title>zilzal</title>
<p>The console's page is not in this package: it has not been built, or is being built just now
(in a checkout: python3 dev.py setup). The API is at
<a href="/api/openapi.json">/api/openapi.json</a>, the web services at
<a href="/fdsnws/event/1/">/fdsnws/</a>.</p></html>"""


def add_page(app: FastAPI, folder: Traversable) -> None:
    """Serve the files of a folder, and its index.html for every other path of the page.

    Files are looked for when they are asked for: the page may be built anew meanwhile. They are
    found by their names among those that there are: no path is ever put together.
    """

    @app.get("/{path:path}", include_in_schema=False)
    def page(path: str) -> Response:
        if path.startswith(("api/", "fdsnws/", "feed/")) or path in ("api", "fdsnws", "feed"):
            raise not_found(f"/{path}")
        content = None if path == "index.html" else _read(folder, path)
        if content is None:
            if "." in path.rpartition("/")[2] and path != "index.html":
                raise not_found(f"/{path}")
            shell = _read(folder, "index.html") or _UNBUILT.encode()
            headers = {"Cache-Control": "no-cache"}
            return Response(shell, media_type=_KINDS["html"], headers=headers)
        kind = _KINDS.get(path.rpartition(".")[2], "application/octet-stream")
        # Names of what Vite builds have a hash of their content in them.
        lasting = path.startswith("assets/")
        caching = "public, max-age=31536000, immutable" if lasting else "no-cache"
        return Response(content, media_type=kind, headers={"Cache-Control": caching})


def _read(folder: Traversable, path: str) -> bytes | None:
    """A file below a folder; None where there is none, or none any more."""
    place: Traversable | None = folder
    try:
        for name in path.split("/"):
            if place is None or not place.is_dir():
                return None
            place = next((entry for entry in place.iterdir() if entry.name == name), None)
        return place.read_bytes() if place is not None and place.is_file() else None
    except FileNotFoundError:
        return None
