"""Named texts in the bytes of an ONNX file, read and written without loading the network.

An ONNX file is a protobuf `ModelProto`; field 14 (`metadata_props`, repeated) holds messages of
key (1) and value (2). Only the top level is walked over: the graph is skipped by its length.

Source: ONNX, onnx/onnx.proto; Protocol Buffers, encoding of wire types.
"""

from __future__ import annotations

from collections.abc import Iterator

from zilzal.core.errors import SpecError

_METADATA_FIELD, _KEY_FIELD, _VALUE_FIELD = 14, 1, 2
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def read_metadata(model_bytes: bytes) -> dict[str, str]:
    """All named texts of an ONNX file.

    Raises:
        SpecError: the bytes are not an ONNX file.
    """
    return dict(
        _read_entry(content)
        for number, content, _, _ in _fields(model_bytes)
        if number == _METADATA_FIELD
    )


def write_metadata(model_bytes: bytes, key: str, value: str) -> bytes:
    """The same ONNX file with one named text set, all else byte for byte as it was.

    Raises:
        SpecError: the bytes are not an ONNX file.
    """
    kept = bytearray()
    for number, content, first, end in _fields(model_bytes):
        if number != _METADATA_FIELD or _read_entry(content)[0] != key:
            kept += model_bytes[first:end]
    entry = _field(_KEY_FIELD, key.encode()) + _field(_VALUE_FIELD, value.encode())
    return bytes(kept + _field(_METADATA_FIELD, entry))


def _read_entry(content: bytes) -> tuple[str, str]:
    texts = {number: part.decode() for number, part, _, _ in _fields(content)}
    return texts.get(_KEY_FIELD, ""), texts.get(_VALUE_FIELD, "")


def _fields(message: bytes) -> Iterator[tuple[int, bytes, int, int]]:
    """Number, content, first byte and end of each field of a message."""
    place = 0
    while place < len(message):
        first = place
        tag, place = _read_varint(message, place)
        number, wire_type = tag >> 3, tag & 7
        content = b""
        if wire_type == _VARINT:
            _, place = _read_varint(message, place)
        elif wire_type == _BYTES:
            length, place = _read_varint(message, place)
            content, place = message[place : place + length], place + length
        elif wire_type in (_FIXED64, _FIXED32):
            place += 8 if wire_type == _FIXED64 else 4
        else:
            raise SpecError(f"not an ONNX file: wire type {wire_type} at byte {first}")
        if place > len(message) or number == 0:
            raise SpecError(f"not an ONNX file, or cut short: at byte {first}")
        yield number, content, first, place


def _read_varint(message: bytes, place: int) -> tuple[int, int]:
    value, shift = 0, 0
    while place < len(message) and shift < 64:
        byte = message[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7
    raise SpecError("not an ONNX file, or cut short")


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | _BYTES) + _varint(len(content)) + content
