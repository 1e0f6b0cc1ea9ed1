"""What clients may say, without sockets."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zilzal.core.errors import FormatError
from zilzal.core.time import Time
from zilzal.io.seedlink.handshake import (
    LARGEST_SELECTORS,
    take,
)
from zilzal.io.seedlink.request import From, Handshake, Phase, comma_time, request_for
from zilzal.io.seedlink.selector import (
    selector_3,
    selector_4,
    selector_for,
    selects,
    station_pattern,
)

STATIONS = frozenset({"CI_CCC", "CI_WBS", "PB_B916"})


def say(*lines: str, protocol: int = 3) -> tuple[Handshake, list[str]]:
    """The state after some commands, and the replies."""
    handshake, replies = Handshake(stations=STATIONS), []
    for line in (["SLPROTO 4.0"] if protocol == 4 else []) + list(lines):
        step = take(handshake, line)
        handshake = step.handshake
        replies.append(step.reply.decode().strip())
    return handshake, replies[1:] if protocol == 4 else replies


def test_version_4_is_agreed_on_once_and_first():
    assert say("SLPROTO 4.0")[0].protocol == 4
    assert say("SLPROTO 3.1") == (Handshake(stations=STATIONS), ["OK"])
    assert say("SLPROTO 5.0")[1] == ["ERROR"]
    assert say("STATION CCC CI", "SLPROTO 4.0")[1] == ["OK", "ERROR"]
    assert say("SLPROTO 4.0", protocol=4)[1][0].startswith("ERROR UNEXPECTED")


def test_stations_streams_and_numbers_of_version_4():
    handshake, replies = say(
        "STATION CI_CCC", "SELECT *_H_H_?.2D !*_H_H_E", "DATA 18446744073709551615",
        "STATION CI_*", "DATA ALL", "STATION PB_*", "DATA", "END", protocol=4,
    )  # fmt: skip
    assert replies == ["OK"] * 7 + [""]
    assert handshake.phase is Phase.STREAM
    assert [r.begin for r in handshake.requests] == [2**64 - 1, From.ALL, From.NEXT]
    assert request_for(handshake, "CI_CCC") == 0
    assert request_for(handshake, "CI_WBS") == 1
    assert request_for(handshake, "GE_APE") is None
    wants = handshake.requests[0].wants
    assert (wants("00_H_H_Z.2D"), wants("_H_H_E.2D"), wants("_H_H_Z.3D")) == (True, False, False)


def test_time_windows_of_version_4():
    handshake, _replies = say(
        "STATION CI_CCC", "DATA ALL 2019-07-06T03:00:00Z 2019-07-06T04:00:00.5Z", "END",
        protocol=4,
    )  # fmt: skip
    request = handshake.requests[0]
    assert (request.start, request.end) == (
        Time.parse("2019-07-06T03:00:00Z"),
        Time.parse("2019-07-06T04:00:00.5Z"),
    )
    hour = Time.parse("2019-07-06T03:00:00Z")
    assert not request.covers(hour - 10.0, hour)
    assert request.covers(hour - 10.0, hour + 1.0)
    assert not request.covers(request.end, request.end + 1.0)


def test_fetch_of_version_4_ends():
    assert say("STATION CI_CCC", "DATA ALL", "ENDFETCH", protocol=4)[0].phase is Phase.FETCH


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (["HALLO"], "UNSUPPORTED"),
        (["CAT"], "UNSUPPORTED"),
        (["FETCH"], "UNSUPPORTED"),
        (["AUTH USERPASS a b"], "UNSUPPORTED"),
        (["SELECT *"], "UNEXPECTED"),
        (["DATA"], "UNEXPECTED"),
        (["END"], "UNEXPECTED"),
        (["STATION GE_APE"], "ARGUMENTS"),
        (["STATION"], "ARGUMENTS"),
        (["STATION CCC CI"], "ARGUMENTS"),
        (["STATION CI_CCC", "SELECT"], "ARGUMENTS"),
        (["STATION CI_CCC", "SELECT *:3"], "ARGUMENTS"),
        (["STATION CI_CCC", "SELECT !*:native"], "ARGUMENTS"),
        (["STATION CI_CCC", "DATA FF890D"], "ARGUMENTS"),
        (["STATION CI_CCC", "DATA 1 yesterday"], "ARGUMENTS"),
        (["STATION CI_CCC", "DATA 1 2 3 4"], "ARGUMENTS"),
        (["STATION CI_CCC", "STATION GE_APE", "DATA"], "UNEXPECTED"),
        (["STATION *"] * 21, "LIMIT"),
        (["STATION CI_CCC", *["SELECT *"] * (LARGEST_SELECTORS + 1)], "LIMIT"),
    ],
)
def test_version_4_says_why_a_command_is_refused(lines, code, monkeypatch):
    monkeypatch.setattr("zilzal.io.seedlink.handshake.LARGEST_REQUESTS", 20)
    handshake, replies = say(*lines, protocol=4)
    assert re.fullmatch(rf"ERROR {code} \S.*", replies[-1]), replies[-1]
    assert handshake.phase is Phase.HANDSHAKE


def test_native_records_can_be_asked_for():
    assert say("STATION CI_CCC", "SELECT *:native", protocol=4)[1] == ["OK", "OK"]


def test_stations_streams_and_numbers_of_version_3():
    handshake, replies = say(
        "STATION  CCC CI", "SELECT 00HH?.D", "SELECT !HHE", "DATA FF890D 2019,7,6,3,19,53",
        "station * ci", "DATA 0x1f", "END",
    )  # fmt: skip
    assert replies == ["OK"] * 6 + [""]
    first, second = handshake.requests
    assert (first.begin, second.begin) == (0xFF890D, 0x1F)
    assert first.start == Time.parse("2019-07-06T03:19:53Z")
    assert (first.wants("00_H_H_Z.2D"), first.wants("00_H_H_E.2D")) == (True, False)
    assert request_for(handshake, "CI_WBS") == 1


def test_empty_select_of_version_3_takes_all_selectors_back():
    handshake, _ = say("STATION CCC CI", "SELECT BH?", "SELECT", "DATA")
    assert handshake.requests[0].wants("_H_H_Z.2D")


def test_without_station_version_3_means_all_and_begins_at_once():
    handshake, replies = say("SELECT BH?", "DATA")
    assert replies == ["OK", ""]
    assert handshake.phase is Phase.STREAM
    assert request_for(handshake, "PB_B916") == 0
    assert not handshake.requests[0].wants("_H_H_Z.2D")
    assert say("FETCH")[0].phase is Phase.FETCH
    assert say("TIME 2019,7,6,3,0,0")[0].requests[0].begin is From.ALL


def test_fetch_of_version_3_ends_after_all_that_is_there():
    handshake, replies = say("STATION CCC CI", "FETCH", "END")
    assert replies == ["OK", "OK", ""]
    assert handshake.phase is Phase.FETCH
    assert handshake.requests[0].begin is From.ALL
    assert say("STATION CCC CI", "FETCH 12", "END")[0].requests[0].begin == 0x12


def test_batch_is_not_answered_but_is_understood():
    handshake, replies = say("BATCH", "STATION APE GE", "STATION CCC CI", "DATA", "END")
    assert replies == ["OK", "", "", "", ""]
    assert len(handshake.requests) == 1
    assert handshake.phase is Phase.STREAM


def test_version_3_says_why_if_asked_to():
    assert say("STATION APE GE")[1] == ["ERROR"]
    said = say("CAPABILITIES EXTREPLY", "STATION APE GE")[1]
    assert said == ["OK", "ERROR\rno station GE_APE"]


@pytest.mark.parametrize(
    "lines",
    [["SELECT BHZZ?? X"], ["SELECT 0_0"], ["DATA XYZ"], ["TIME now"], ["DATA -2"], ["END"],
     ["STATION CCC CI", "DATA 1 2019,7,6"], ["STATION CCC CI X"], ["AUTH X"], ["ENDFETCH"]],
)  # fmt: skip
def test_version_3_refuses(lines):
    assert say(*lines)[1][-1] == "ERROR"


def test_once_packets_flow_only_info_and_bye_are_heard():
    handshake, _ = say("STATION CI_CCC", "DATA", "END", protocol=4)
    assert take(handshake, "STATION CI_WBS") == take(handshake, "HELLO")
    assert take(handshake, "INFO ID").question.word == "INFO"
    assert take(handshake, "bye").handshake.phase is Phase.CLOSED


@pytest.mark.parametrize(
    ("selector", "wanted", "unwanted"),
    [
        ("BHZ", ["_B_H_Z.2D", "00_B_H_Z.2L"], ["_B_H_N.2D"]),
        ("BH?", ["_B_H_Z.2D", "10_B_H_1.3D"], ["_H_H_Z.2D"]),
        ("00BHZ", ["00_B_H_Z.2D"], ["_B_H_Z.2D", "10_B_H_Z.2D"]),
        ("00:BHZ", ["00_B_H_Z.2D"], ["_B_H_Z.2D"]),
        ("--BHZ", ["_B_H_Z.2D"], ["00_B_H_Z.2D"]),
        ("??BHZ", ["_B_H_Z.2D", "00_B_H_Z.2D"], ["_B_H_N.2D"]),
        ("1?BHZ", ["10_B_H_Z.2D", "12_B_H_Z.2D"], ["00_B_H_Z.2D"]),
        ("BHZ.D", ["_B_H_Z.2D"], ["_B_H_Z.2L"]),
        ("L", ["_B_H_Z.2L"], ["_B_H_Z.2D"]),
        ("*", ["_B_H_Z.2L", "00_H_H_N.3D"], []),
        ("bhz", ["_B_H_Z.2D"], []),
    ],
)
def test_selectors_of_version_3(selector, wanted, unwanted):
    chosen = [selector_3(selector)]
    assert all(selects(chosen, name) for name in wanted)
    assert not any(selects(chosen, name) for name in unwanted)
    excluding = [selector_3("!" + selector)]
    assert not any(selects(excluding, name) for name in wanted)
    assert all(selects(excluding, name) for name in unwanted)


@pytest.mark.parametrize(
    ("selector", "wanted", "unwanted"),
    [
        ("_B_H_Z", ["_B_H_Z.2D"], ["00_B_H_Z.2D", "_B_H_ZZ.2D"]),
        ("*_B_H_?", ["_B_H_Z.2D", "00_B_H_1.3D"], ["_H_H_Z.2D"]),
        ("_*Z", ["_B_H_Z.2D"], ["00_B_H_Z.2D", "_B_Z_H.2D"]),
        ("*.2", ["_B_H_Z.2D", "_B_H_Z.2L"], ["_B_H_Z.3D"]),
        ("*.2D", ["_B_H_Z.2D"], ["_B_H_Z.2L"]),
        ("*.?L", ["_B_H_Z.2L", "_B_H_Z.3L"], ["_B_H_Z.2D"]),
        ("*.D", [], ["_B_H_Z.2D"]),
        ("00_*", ["00_B_H_Z.2D"], ["_B_H_Z.2D"]),
    ],
)
def test_selectors_of_version_4(selector, wanted, unwanted):
    chosen = [selector_4(selector)]
    assert all(selects(chosen, name) for name in wanted)
    assert not any(selects(chosen, name) for name in unwanted)


@pytest.mark.parametrize(
    ("version_3", "version_4"),
    [
        ("BHZ", "*_B_H_Z"),
        ("00BH?", "00_B_H_?"),
        ("--BHZ", "_B_H_Z"),
        ("!BHZ.D", "!*_B_H_Z.?D"),
    ],
)
def test_selectors_of_one_version_are_said_in_the_other(version_3, version_4):
    assert selector_for(4, version_3) == selector_for(4, version_4) == version_4
    assert selector_for(3, version_4) == selector_for(3, version_3) == version_3


def test_selectors_that_one_version_cannot_say_stay():
    assert selector_for(3, "*_B_H_ZZZ") == "*_B_H_ZZZ"
    assert selector_for(4, "L") == "L"


@pytest.mark.parametrize("text", ["", "!", "BHZ.X", "00 BHZ", "0000BHZ", "BHZ[", "(.*)"])
def test_odd_selectors_are_refused(text):
    with pytest.raises(FormatError):
        selector_3(text)
    with pytest.raises(FormatError):
        selector_4(text + "$")


def test_station_patterns_are_anchored():
    assert station_pattern("*F").fullmatch("GE_WLF")
    assert not station_pattern("G*").fullmatch("IU_G")
    with pytest.raises(FormatError, match=r"write NET_STA"):
        station_pattern("GE.WLF")


@pytest.mark.parametrize("text", ["2019,7,6", "2019,7,6,3,0,61", "2019,13,6,3,0,0", "x", ""])
def test_odd_times_are_refused(text):
    with pytest.raises(FormatError):
        comma_time(text)


def test_nanoseconds_of_a_time():
    assert comma_time("2019,07,06,03,19,53,40000001").ns % 10**9 == 40_000_001


WORDS = st.sampled_from(
    ["HELLO", "CAT", "BYE", "SLPROTO", "USERAGENT", "CAPABILITIES", "BATCH", "STATION", "SELECT",
     "DATA", "FETCH", "TIME", "END", "ENDFETCH", "INFO", "AUTH", "EXTREPLY", "4.0", "3.1", "*",
     "CI_CCC", "CCC", "CI", "GE_*", "BH?", "!BHZ.D", "*_B_H_?.2D", "*:native", "ALL", "-1", "0x1F",
     "FFFFFF", "99999999999999999999", "2019,7,6,3,0,0", "2019-07-06T03:00:00Z", "STREAMS"]
)  # fmt: skip
LINES = st.lists(WORDS, max_size=5).map(" ".join) | st.text(max_size=60)


@given(lines=st.lists(LINES, max_size=12))
def test_whatever_is_said_is_answered_or_ignored(lines):
    handshake = Handshake(stations=STATIONS)
    for line in lines:
        before = handshake
        step = take(handshake, line)
        handshake = step.handshake
        assert step.reply == b"" or step.question is None
        if step.reply:
            assert re.fullmatch(rb"OK\r\n|ERROR[^\n]*\r\n", step.reply)
            assert len(step.reply) < 600
        if step.reply.startswith(b"ERROR"):
            assert handshake.requests == before.requests
            assert handshake.phase is before.phase
        assert all(isinstance(r.begin, From | int) for r in handshake.requests)
        if before.phase is Phase.CLOSED:
            assert handshake.phase is Phase.CLOSED
        if handshake.phase in (Phase.STREAM, Phase.FETCH):
            assert handshake.requests
