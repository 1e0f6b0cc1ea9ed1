"""Judging events: what an analyst does is a version, with a name, that no machine undoes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.app.short import Ran, run
from tests.web.conftest import Served
from zilzal.app.synthetic import Synthetic
from zilzal.core.event import Origin
from zilzal.core.time import Time
from zilzal.io.store import EventQuery, Store


def first(desk: Served) -> dict:
    line = desk.get("/api/events", order="oldest", limit=1)["items"][0]
    return desk.get(f"/api/events/{line['id']}")


def judge(desk: Served, event: dict, *actions: dict, expected: int = 200, **more) -> dict:
    body = {"base_version": event["version"], "actions": list(actions), **more}
    return desk.post(f"/api/events/{event['id']}/review", body, expected)


def moved(pick: dict, by_s: float) -> dict:
    time = str(Time.parse(pick["time"]) + by_s)
    return {"kind": "move_pick", "pick_id": pick["id"], "time": time}


def test_moved_pick_relocates_and_is_a_manual_version_with_a_name(desk: Served):
    event = first(desk)
    pick = next(p for p in event["picks"] if p["phase"] == "P")
    answer = judge(desk, event, moved(pick, 0.4))
    now = answer["event"]
    assert (now["version"], now["evaluation_mode"], now["author"]) == (2, "manual", "mina")
    assert now["origin"]["evaluation_mode"] == "manual"
    assert now["origin"]["id"] != event["origin"]["id"]
    assert now["magnitudes"][0]["magnitude"] is not None
    station = pick["station"]
    there = [p for p in now["picks"] if p["station"] == station and p["phase"] == "P"]
    assert Time.parse(there[0]["time"]) - Time.parse(pick["time"]) == pytest.approx(0.4)
    assert there[0]["evaluation_mode"] == "manual"
    assert f"P at {station} moved by +0.400 s" in answer["changes"]
    versions = desk.get(f"/api/events/{event['id']}/versions")["items"]
    assert [v["author"] for v in versions] == ["", "mina"]
    assert desk.get(f"/api/events/{event['id']}") == now
    log = [json.loads(line) for line in (desk.folder / "audit.jsonl").read_text().splitlines()]
    assert (log[-1]["who"], log[-1]["action"]) == ("mina", "review")


def test_preview_says_where_arrivals_would_be_at_every_station(desk: Served):
    event = first(desk)
    pick = next(p for p in event["picks"] if p["phase"] == "P")
    gone = {"kind": "delete_pick", "pick_id": pick["id"]}
    seen = judge(desk, event, gone, preview=True)
    section = desk.get(f"/api/events/{event['id']}/section")
    before = {line["station"]: line["predicted"] for line in section["items"]}
    assert set(seen["predicted"]) == set(before)
    shift = Time.parse(seen["predicted"][pick["station"]]["P"]) - Time.parse(
        before[pick["station"]]["P"]
    )
    assert 0 < abs(shift) < 1
    for arrival in seen["event"]["origin"]["arrivals"]:
        predicted = seen["predicted"][arrival["station"]][arrival["phase"]]
        there = Time.parse(arrival["predicted_time"])
        # The locator reads travel times off a table, the section computes them.
        assert abs(Time.parse(predicted) - there) < 0.02


def test_preview_stores_nothing_and_says_what_would_be(desk: Served):
    event = first(desk)
    action = moved(event["picks"][0], 0.3)
    seen = judge(desk, event, action, preview=True)
    assert seen["preview"]
    assert desk.get(f"/api/events/{event['id']}") == event
    done = judge(desk, event, action)
    assert done["event"]["origin"]["latitude"] == seen["event"]["origin"]["latitude"]
    assert done["changes"] == seen["changes"]


def test_old_version_is_a_conflict(desk: Served):
    event = first(desk)
    judge(desk, event, {"kind": "confirm"})
    told = judge(desk, event, {"kind": "reject"}, expected=409)
    assert "version 2" in told["detail"]


def test_confirming_keeps_the_place(desk: Served):
    event = first(desk)
    now = judge(desk, event, {"kind": "confirm"})["event"]
    assert now["evaluation_mode"] == "manual"
    assert now["origin"] == event["origin"]
    assert now["picks"] == event["picks"]


def test_type_and_comment_and_rejection(desk: Served):
    event = first(desk)
    now = judge(
        desk, event, {"kind": "set_type", "event_type": "quarry blast"},
        {"kind": "comment", "text": "<b>blast</b> at Ayn"},
    )["event"]  # fmt: skip
    assert (now["event_type"], now["comment"]) == ("quarry blast", "<b>blast</b> at Ayn")
    gone = judge(desk, now, {"kind": "reject"})["event"]
    assert gone["event_type"] == "not existing"
    assert desk.get("/api/events")["total"] == 1
    assert desk.get("/api/events", catalogue=False)["total"] == 2


def test_picks_are_added_deleted_and_weighted(desk: Served):
    event = first(desk)
    s_pick = next(p for p in event["picks"] if p["phase"] == "S")
    without = judge(desk, event, {"kind": "delete_pick", "pick_id": s_pick["id"]})["event"]
    assert len(without["picks"]) == len(event["picks"]) - 1
    back = {"kind": "add_pick", "channel": s_pick["channel"], "phase": "S", "time": s_pick["time"]}
    again = judge(desk, without, back)["event"]
    assert len(again["picks"]) == len(event["picks"])
    judge(desk, again, back, expected=422)
    weak = judge(
        desk, again, {"kind": "weight_pick", "pick_id": again["picks"][0]["id"],
                      "uncertainty_s": 2.0},
    )["event"]  # fmt: skip
    assert weak["picks"][0]["uncertainty_s"] == 2.0
    assert weak["origin"]["id"] != again["origin"]["id"] or weak["origin"] != again["origin"]


def test_too_few_picks_leave_the_event_without_a_place_and_say_why(desk: Served):
    event = first(desk)
    gone = [{"kind": "delete_pick", "pick_id": p["id"]} for p in event["picks"][2:]]
    now = judge(desk, event, *gone)["event"]
    assert now["origin"] is None
    assert "at least" in now["unlocated_reason"]
    assert now["magnitudes"] == []


def test_undo_goes_back_step_by_step_to_the_machine(desk: Served):
    event = first(desk)
    one = judge(desk, event, {"kind": "comment", "text": "one"})["event"]
    judge(desk, one, {"kind": "comment", "text": "two"})
    path = f"/api/events/{event['id']}/undo"
    back = desk.post(path, {"base_version": 3})["event"]
    assert (back["version"], back["comment"], back["evaluation_mode"]) == (4, "one", "manual")
    back = desk.post(path, {"base_version": 4})["event"]
    assert (back["comment"], back["evaluation_mode"]) == ("", "automatic")
    assert "nothing to take back" in desk.post(path, {"base_version": 5}, 422)["detail"]


def test_split_and_merge_are_each_others_way_back(desk: Served):
    event = first(desk)
    stations = sorted({p["station"] for p in event["picks"]})
    leaving = [p["id"] for p in event["picks"] if p["station"] in stations[:3]]
    path = f"/api/events/{event['id']}/split"
    answer = desk.post(path, {"base_version": 1, "pick_ids": leaving})
    new = answer["others"][0]
    assert len(answer["event"]["picks"]) + len(new["picks"]) == len(event["picks"])
    assert new["id"] != event["id"]
    both = [{"id": event["id"], "base_version": 2}, {"id": new["id"], "base_version": 1}]
    merged = desk.post("/api/events/merge", {"events": both})
    assert [p["id"] for p in merged["event"]["picks"]] == [p["id"] for p in event["picks"]]
    assert merged["event"]["origin"]["latitude"] == pytest.approx(event["origin"]["latitude"])
    assert merged["others"][0]["unlocated_reason"] == f"merged into {event['id']} by an analyst"
    desk.post(path, {"base_version": 3, "pick_ids": [p["id"] for p in event["picks"]]}, 422)


@pytest.mark.parametrize(
    "action",
    [
        {"kind": "move_pick", "pick_id": "pick/none", "time": "2024-03-05T12:00:00Z"},
        {"kind": "move_pick", "pick_id": "pick/none", "time": "noon"},
        {"kind": "explode"},
        {"kind": "set_type", "event_type": "party"},
        {"kind": "comment", "text": "x" * 20_000},
        {"kind": "add_pick", "channel": "nothing", "phase": "P", "time": "2024-03-05T12:00:00Z"},
        {"kind": "confirm", "and": "more"},
    ],
)
def test_what_cannot_be_done_is_refused(desk: Served, action):
    event = first(desk)
    assert judge(desk, event, action, expected=422)["detail"]
    assert desk.get(f"/api/events/{event['id']}")["version"] == 1


def test_run_keeps_what_was_judged(desk: Served, short: Synthetic):
    event = first(desk)
    pick = next(p for p in event["picks"] if p["phase"] == "P")
    now = judge(desk, event, moved(pick, 0.4), {"kind": "comment", "text": "mine"})["event"]
    again = run(short, desk.folder)
    kept = next(e for e in again.events if e.id == event["id"])
    assert (kept.version, kept.comment, kept.author) == (2, "mine", "mina")
    assert isinstance(kept.origin, Origin)
    assert kept.origin.latitude == now["origin"]["latitude"]
    assert len(again.events) == 2
    assert f"{kept.origin.latitude:.6f}" in (desk.folder / "catalogue.csv").read_text()


def test_machine_with_other_names_does_not_double_what_was_judged(short_run: Ran, tmp_path: Path):
    from zilzal.app.judged import leave_judged
    from zilzal.core.pick import EvaluationMode

    judged = replace(short_run.events[0], evaluation_mode=EvaluationMode.MANUAL)
    found = [replace(short_run.events[0], id="zzother"), short_run.events[1]]
    kept, missing = leave_judged(found, [judged])
    assert kept == [short_run.events[1]]
    assert missing == [judged]
    with Store.open(tmp_path / "zilzal.db") as store:
        store.put_events(short_run.events)
        assert store.count(EventQuery()) == 2
