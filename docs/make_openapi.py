"""Write console/openapi.json from the application: what the page's typed client is made of."""

from __future__ import annotations

import json
from pathlib import Path

from zilzal.web.server import describe_api

PLACE = Path(__file__).parents[1] / "console" / "openapi.json"


def text() -> str:
    """What the file must say."""
    return json.dumps(describe_api(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PLACE.parent.mkdir(exist_ok=True)
    PLACE.write_text(text(), encoding="utf-8")
