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
<p>The console's page has not been built into this package. Its API is at
<a href="/api/openapi.json">/api/openapi.json</a>, the web services at
<a href="/fdsnws/event/1/">/fdsnws/</a>.</p></html>"""


def add_page(app: FastAPI, folder: Traversable) -> None:
    """Serve the files of a folder, and its index.html for every other path of the page.

    Files are found by their names among those that there are: no path is ever put together.
    """
    files = _files(folder, "")
    index = files.get("index.html")
    shell = index.read_bytes() if index is not None else _UNBUILT.encode()

    @app.get("/{path:path}", include_in_schema=False)
    def page(path: str) -> Response:
        if path.startswith(("api/", "fdsnws/", "feed/")) or path in ("api", "fdsnws", "feed"):
            raise not_found(f"/{path}")
        found = files.get(path)
        if found is None or path == "index.html":
            if "." in path.rpartition("/")[2] and found is None:
                raise not_found(f"/{path}")
            headers = {"Cache-Control": "no-cache"}
            return Response(shell, media_type=_KINDS["html"], headers=headers)
        kind = _KINDS.get(path.rpartition(".")[2], "application/octet-stream")
        # Names of what Vite builds have a hash of their content in them.
        lasting = path.startswith("assets/")
        caching = "public, max-age=31536000, immutable" if lasting else "no-cache"
        return Response(found.read_bytes(), media_type=kind, headers={"Cache-Control": caching})


def _files(folder: Traversable, prefix: str) -> dict[str, Traversable]:
    """All files below a folder, by their paths in it."""
    if not folder.is_dir():
        return {}
    found: dict[str, Traversable] = {}
    for entry in folder.iterdir():
        path = f"{prefix}{entry.name}"
        if entry.is_dir():
            found |= _files(entry, f"{path}/")
        else:
            found[path] = entry
    return found
