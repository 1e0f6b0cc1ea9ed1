"""What a server says when it is asked about itself."""

from __future__ import annotations

from zilzal.core.errors import FormatError
from zilzal.io.seedlink.handshake import Question, info_level
from zilzal.io.seedlink.info import error_json, info_frames_3, info_json, info_xml
from zilzal.io.seedlink.knowledge import Knowledge
from zilzal.io.seedlink.request import Handshake
from zilzal.io.seedlink.words import ErrorCode, frame_4, refusal


def answer(question: Question, handshake: Handshake, knowledge: Knowledge) -> bytes:
    """What goes over the line: lines for HELLO and CAT, packets for INFO.

    Args:
        question: what is asked.
        handshake: what has been agreed with the client.
        knowledge: of the server.
    """
    if question.word == "HELLO":
        identity = knowledge.identity
        text = f"{identity.software}\r\n{identity.organization}\r\n"
        return text.encode("ascii", "replace")
    if question.word == "CAT":
        codes = (code.partition("_") for code in knowledge.contents.stations)
        lines = [f"{network:2} {code:5} {network}_{code}" for network, _, code in codes]
        return "\r\n".join([*lines, "END\r\n"]).encode("ascii", "replace")
    inform = _info_4 if handshake.protocol == 4 else _info_3
    return inform(question, handshake, knowledge)


def farewell(handshake: Handshake, knowledge: Knowledge, message: str) -> bytes:
    """What a client is told that is sent away while packets flow."""
    if handshake.protocol == 3:
        return b"ERROR\r\n"
    return frame_4(0, "JE", "", error_json(knowledge, ErrorCode.LIMIT, message).encode())


def _info_3(question: Question, handshake: Handshake, knowledge: Knowledge) -> bytes:
    level = info_level(handshake, question)
    if level is None:
        message = "no such level"
        return refusal(3, ErrorCode.ARGUMENTS, message, is_extended=handshake.is_extended)
    return info_frames_3(info_xml(knowledge, level), knowledge.now)


def _info_4(question: Question, handshake: Handshake, knowledge: Knowledge) -> bytes:
    item = info_level(handshake, question)
    form = "JI"
    try:
        if item is None or len(question.arguments) > 3:
            raise FormatError(f"cannot tell about {' '.join(question.arguments)[:60]!r}")
        document = info_json(knowledge, item, question.arguments[1:])
    except FormatError as error:
        form, document = "JE", error_json(knowledge, ErrorCode.ARGUMENTS, str(error))
    return frame_4(0, form, "", document.encode())
