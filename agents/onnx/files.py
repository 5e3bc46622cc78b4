"""Check whether a serialised ONNX model refers to other files, before it is loaded."""

from __future__ import annotations

MODEL, GRAPH, NODE, ATTRIBUTE, TENSOR, SPARSE, FUNCTION, TRAINING = range(8)

LEADS_TO = {
    MODEL: {7: GRAPH, 20: TRAINING, 25: FUNCTION},
    GRAPH: {1: NODE, 5: TENSOR, 15: SPARSE},
    NODE: {5: ATTRIBUTE},
    ATTRIBUTE: {5: TENSOR, 6: GRAPH, 10: TENSOR, 11: GRAPH, 22: SPARSE, 23: SPARSE},
    SPARSE: {1: TENSOR, 2: TENSOR},
    FUNCTION: {7: NODE, 11: ATTRIBUTE},
    TRAINING: {1: GRAPH, 2: GRAPH},
    TENSOR: {},
}
"""message -> field number -> message, for the fields that can contain tensors."""

EXTERNAL_DATA, DATA_LOCATION = 13, 14  # fields of a tensor
TAG_BYTES, VALUE_BYTES = 5, 10  # maximum length of a varint
MAX_TAG = 2**32 - 1


def refers_to_files(model: bytes) -> bool:
    """Whether any tensor of a serialised ONNX model keeps its data in another file.

    Parses the protocol buffer itself: the core does not depend on `onnx`, and onnxruntime would already have opened the
    other file. Encodings that another parser could read differently are rejected.

    Raises:
        ValueError: the data are truncated or not validly encoded.
    """
    todo: list[tuple[int, memoryview]] = [(MODEL, memoryview(model))]
    while todo:
        kind, message = todo.pop()
        for field, value in _fields(message):
            if kind == TENSOR and (field == EXTERNAL_DATA or (field == DATA_LOCATION and value != 0)):
                return True
            if field in LEADS_TO[kind] and isinstance(value, memoryview):
                todo.append((LEADS_TO[kind][field], value))
    return False


def _fields(message: memoryview) -> list[tuple[int, int | memoryview]]:
    """(number, value) of each field of a message. Raises ValueError."""
    fields: list[tuple[int, int | memoryview]] = []
    i = 0
    while i < len(message):
        tag, i = _varint(message, i, TAG_BYTES)
        # Loaders truncate tags to 32 bits: a longer one would denote another field to them.
        if not 8 <= tag <= MAX_TAG:
            raise ValueError(f"field tag {tag}")
        wire = tag & 7
        if wire == 0:
            value, i = _varint(message, i, VALUE_BYTES)
            fields.append((tag >> 3, value))
            continue
        if wire == 2:
            size, i = _varint(message, i, TAG_BYTES)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise ValueError(f"wire type {wire}")
        if i + size > len(message):
            raise ValueError("truncated within a field")
        fields.append((tag >> 3, message[i : i + size]))
        i += size
    return fields


def _varint(message: memoryview, i: int, most: int) -> tuple[int, int]:
    """The varint of at most `most` bytes at byte i, and the index of the byte after it."""
    value = 0
    for k in range(most):
        if i + k >= len(message):
            raise ValueError("truncated within a number")
        byte = message[i + k]
        value |= (byte & 127) << (7 * k)
        if byte < 128:
            return value, i + k + 1
    raise ValueError(f"a varint of more than {most} bytes")
