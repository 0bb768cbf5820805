"""Spoils real messages: field by field, as somebody with the .proto files would, and byte by byte, as a line does."""

import random
from collections.abc import Callable, Sequence

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message

_NUMBERS = (
    0, 1, -1, 2, 127, 128, 255, 65_535, 65_536, (1 << 31) - 1, -(1 << 31), (1 << 32) - 1, 1 << 62,
    (1 << 63) - 1, -(1 << 63), (1 << 64) - 1,
)  # fmt: skip
_BOUNDS = {
    FieldDescriptor.CPPTYPE_INT32: (-(1 << 31), (1 << 31) - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(1 << 63), (1 << 63) - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, (1 << 32) - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, (1 << 64) - 1),
    FieldDescriptor.CPPTYPE_ENUM: (-1, 99),
}
_LONG = 70_000
_TEXTS = (
    "", "x", "../../etc/passwd", "\0", "\x1e\x1f", "'; DROP TABLE sales_order; --", "%s{0}{x}",
    "Ж" * 3, "\u202e", "x" * _LONG, "sales_order", "fm_state", "sqlite_master", "id",
)  # fmt: skip
_BYTES = (
    b"", b"\0", b"\xff" * 15, b"\xff" * 16, b"\0" * 17, b"\0" * 32,
    b"\x28\xb5\x2f\xfd" + b"\xff" * 20, b"z" * _LONG,
)  # fmt: skip
_MOST_DEPTH = 6


def mutated(samples: Sequence[bytes], kind: type[Message] | None, chance: random.Random) -> bytes:
    """One of the samples, spoilt; by its structure where it has one."""
    content = chance.choice(samples)
    if kind is not None and chance.random() < 0.7:
        other = chance.choice(samples)
        content = _by_structure(content, other, kind, chance)
    if kind is None or chance.random() < 0.4:
        for _ in range(chance.choice((1, 1, 2, 5))):
            content = chance.choice(_BLIND)(content, chance.choice(samples), chance)
    return content


def _by_structure(
    content: bytes, other: bytes, kind: type[Message], chance: random.Random
) -> bytes:
    try:
        message, donor = kind.FromString(content), kind.FromString(other)
    except DecodeError:
        return content
    for _ in range(chance.choice((1, 1, 2, 4))):
        _spoil(message, donor, chance, _MOST_DEPTH)
    return message.SerializeToString()


def _spoil(message: Message, donor: Message, chance: random.Random, depth: int) -> None:
    """One field of the message, or of one below it, is another."""
    fields = list(message.DESCRIPTOR.fields)
    if not fields:
        return
    set_ones = [field for field, _ in message.ListFields()]
    field = chance.choice(set_ones if set_ones and chance.random() < 0.8 else fields)
    if field.message_type is not None:
        _spoil_inner(message, donor, field, chance, depth)
        return
    if _is_repeated(field):
        held = getattr(message, field.name)
        _spoil_list(held, field, chance)
        return
    match chance.randrange(3):
        case 0:
            message.ClearField(field.name)
        case 1:
            setattr(message, field.name, getattr(donor, field.name))
        case _:
            setattr(message, field.name, _value(field, chance))


def _spoil_inner(
    message: Message, donor: Message, field: FieldDescriptor, chance: random.Random, depth: int
) -> None:
    if not _is_repeated(field):
        choice = chance.random()
        if choice < 0.1 or depth == 0:
            message.ClearField(field.name)
        elif choice < 0.2:
            getattr(message, field.name).CopyFrom(getattr(donor, field.name))
        else:
            _spoil(getattr(message, field.name), getattr(donor, field.name), chance, depth - 1)
        return
    held, theirs = getattr(message, field.name), getattr(donor, field.name)
    if field.message_type.GetOptions().map_entry:
        message.ClearField(field.name)
        return
    match chance.randrange(4):
        case 0 if held:
            del held[chance.randrange(len(held))]
        case 1 if theirs and len(held) < 64:
            held.add().CopyFrom(chance.choice(theirs))
        case 2 if held and len(held) < 64:
            held.add().CopyFrom(chance.choice(held))
        case _:
            if held and depth:
                inner = chance.choice(held)
                _spoil(inner, chance.choice(theirs) if theirs else inner, chance, depth - 1)


def _spoil_list(held: list[object], field: FieldDescriptor, chance: random.Random) -> None:
    match chance.randrange(3):
        case 0 if held:
            held.pop(chance.randrange(len(held)))
        case 1 if held:
            held[chance.randrange(len(held))] = _value(field, chance)
        case _:
            held.append(_value(field, chance))


def _value(field: FieldDescriptor, chance: random.Random) -> object:
    match field.cpp_type:
        case FieldDescriptor.CPPTYPE_STRING:
            return chance.choice(_BYTES if field.type == FieldDescriptor.TYPE_BYTES else _TEXTS)
        case FieldDescriptor.CPPTYPE_BOOL:
            return chance.random() < 0.5
        case FieldDescriptor.CPPTYPE_DOUBLE | FieldDescriptor.CPPTYPE_FLOAT:
            return chance.choice((0.0, -1.0, float("nan"), float("inf")))
        case kind:
            least, most = _BOUNDS[kind]
            return min(most, max(least, chance.choice(_NUMBERS)))


def _is_repeated(field: FieldDescriptor) -> bool:
    return bool(field.is_repeated)


def _flip(content: bytes, _other: bytes, chance: random.Random) -> bytes:
    if not content:
        return b"\xff"
    place = chance.randrange(len(content))
    return (
        content[:place]
        + bytes([content[place] ^ (1 << chance.randrange(8))])
        + content[place + 1 :]
    )


def _cut(content: bytes, _other: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content) + 1)]


def _insert(content: bytes, _other: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(content) + 1)
    return content[:place] + chance.choice(_BYTES[:-1]) + content[place:]


def _splice(content: bytes, other: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content) + 1)] + other[chance.randrange(len(other) + 1) :]


def _noise(content: bytes, _other: bytes, chance: random.Random) -> bytes:
    return chance.randbytes(min(len(content), chance.choice((1, 16, 200))))


def _repeat(content: bytes, _other: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(content) + 1)
    return content + content[start : start + 4_096]


_BLIND: tuple[Callable[[bytes, bytes, random.Random], bytes], ...] = (
    _flip, _flip, _flip, _cut, _insert, _splice, _splice, _noise, _repeat,
)  # fmt: skip
