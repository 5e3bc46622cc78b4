"""Does a serialised ONNX model refer to other files? Told from its bytes, before anything opens it."""

from __future__ import annotations


def refers_to_files(model: bytes) -> bool:
    """Whether any tensor of a serialised ONNX model keeps its data in another file. Raises ValueError.

    Reads the protocol buffer itself: the core does without the `onnx` package, and onnxruntime would
    already have opened the file. Message fields that lead to tensors, and the two that mean "elsewhere":
    """
    model_p, graph, node, attribute, tensor, sparse, function, training = range(8)
    leads = {
        model_p: {7: graph, 20: training, 25: function},
        graph: {1: node, 5: tensor, 15: sparse},
        node: {5: attribute},
        attribute: {5: tensor, 6: graph, 10: tensor, 11: graph, 22: sparse, 23: sparse},
        sparse: {1: tensor, 2: tensor},
        function: {7: node, 11: attribute},
        training: {1: graph, 2: graph},
        tensor: {},
    }
    todo: list[tuple[int, memoryview]] = [(model_p, memoryview(model))]
    while todo:
        kind, message = todo.pop()
        for field, value in _fields(message):
            if kind == tensor and (field == 13 or (field == 14 and value == 1)):
                return True
            if field in leads[kind] and isinstance(value, memoryview):
                todo.append((leads[kind][field], value))
    return False


def _fields(message: memoryview) -> list[tuple[int, int | memoryview]]:
    """(number, value) of each field of a protocol-buffer message; ValueError where it is cut short."""
    fields: list[tuple[int, int | memoryview]] = []
    i = 0
    while i < len(message):
        tag, i = _varint(message, i)
        wire = tag & 7
        if wire == 0:
            value, i = _varint(message, i)
            fields.append((tag >> 3, value))
            continue
        if wire == 2:
            size, i = _varint(message, i)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise ValueError(f"wire type {wire}")
        if i + size > len(message):
            raise ValueError("ends within a field")
        fields.append((tag >> 3, message[i : i + size]))
        i += size
    return fields


def _varint(message: memoryview, i: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if i >= len(message) or shift > 63:
            raise ValueError("ends within a number")
        byte = message[i]
        value |= (byte & 127) << shift
        shift += 7
        i += 1
        if byte < 128:
            return value, i
