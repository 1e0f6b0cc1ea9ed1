"""The API as a whole: its description, and that nothing asked of it breaks it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error

from tests.web.conftest import Served
from zilzal.web.server import describe_api

KEPT = Path(__file__).parents[2] / "console" / "openapi.json"


def test_kept_description_is_the_applications():
    assert json.loads(KEPT.read_text(encoding="utf-8")) == json.loads(json.dumps(describe_api())), (
        "run: python docs/make_openapi.py"
    )


def test_server_describes_itself(console: Served):
    assert console.get("/api/openapi.json") == json.loads(json.dumps(describe_api()))


def test_every_route_has_a_summary_and_an_answer():
    for path, methods in describe_api()["paths"].items():
        for method, operation in methods.items():
            assert operation["description"], (path, method)
            assert operation["responses"]["200"], (path, method)
            assert path.startswith("/api/")


API = schemathesis.openapi.from_dict(describe_api())
SLOW = ("/api/live",)
"""A stream without end is tested by itself."""


@pytest.mark.filterwarnings("ignore")
@API.exclude(path=list(SLOW)).parametrize()
@settings(
    max_examples=6, deadline=None, phases=[Phase.generate], derandomize=True,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
def test_no_request_breaks_the_server(case, console: Served):
    case.call_and_validate(
        base_url=console.address,
        checks=[not_a_server_error],
        headers={"X-CSRF-Token": console.get("/api/session")["csrf_token"]},
    )
