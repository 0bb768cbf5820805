"""Old and new nodes understand each other: fields are added, never renumbered, retyped or reused."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf import descriptor_pb2
from google.protobuf.descriptor_pb2 import DescriptorProto, EnumDescriptorProto, FileDescriptorSet
from google.protobuf.json_format import MessageToDict

from tests.house.sources import ROOT
from tests.kit.wire_examples import FOLDER, MESSAGES

FROZEN = ROOT / "protos" / "frozen_v1.binpb"


def _frozen() -> FileDescriptorSet:
    return FileDescriptorSet.FromString(FROZEN.read_bytes())


def _today() -> dict[str, descriptor_pb2.FileDescriptorProto]:
    from fieldmesh.wire.v1 import (  # noqa: PLC0415 - read once, for this
        batch_pb2,
        blob_pb2,
        enrol_pb2,
        replication_pb2,
        session_pb2,
        table_pb2,
    )

    found = {}
    for module in (batch_pb2, blob_pb2, enrol_pb2, replication_pb2, session_pb2, table_pb2):
        proto = descriptor_pb2.FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(proto)
        found[proto.name] = proto
    return found


def _broken_message(old: DescriptorProto, new: DescriptorProto | None) -> Iterator[str]:
    if new is None:
        yield f"message {old.name} is gone"
        return
    fields = {field.number: field for field in new.field}
    names = {field.name: field.number for field in new.field}
    reserved = {one for part in new.reserved_range for one in range(part.start, part.end)}
    for field in old.field:
        place = f"{old.name}.{field.name}"
        now = fields.get(field.number)
        if now is None:
            if field.number not in reserved or field.name not in new.reserved_name:
                yield f"{place} was removed and neither its number nor its name is reserved"
        elif (now.type, now.type_name, now.label) != (field.type, field.type_name, field.label):
            yield f"{place} has another type"
        elif now.name != field.name:
            yield f"{place} is now called {now.name}"
        if names.get(field.name, field.number) != field.number:
            yield f"{place} has another number"
    nested = {one.name: one for one in new.nested_type}
    for one in old.nested_type:
        yield from _broken_message(one, nested.get(one.name))


def _broken_enum(old: EnumDescriptorProto, new: EnumDescriptorProto | None) -> Iterator[str]:
    held = {value.number: value.name for value in new.value} if new else {}
    for value in old.value:
        if held.get(value.number) != value.name:
            yield f"{old.name}.{value.name} = {value.number} is gone"


def _broken(
    old: FileDescriptorSet, new: dict[str, descriptor_pb2.FileDescriptorProto]
) -> list[str]:
    found: list[str] = []
    for file in old.file:
        now = new.get(file.name, descriptor_pb2.FileDescriptorProto())
        messages = {one.name: one for one in now.message_type}
        enums = {one.name: one for one in now.enum_type}
        services = {one.name: {m.name: m for m in one.method} for one in now.service}
        for message in file.message_type:
            found += _broken_message(message, messages.get(message.name))
        for enum in file.enum_type:
            found += _broken_enum(enum, enums.get(enum.name))
        for service in file.service:
            methods = services.get(service.name, {})
            found += [
                f"{service.name}.{method.name} is gone or differs"
                for method in service.method
                if methods.get(method.name) != method
            ]
    return found


def test_todays_messages_keep_to_the_frozen_ones() -> None:
    """A device of last year must be able to hand over its orders."""
    assert _broken(_frozen(), _today()) == []


def test_what_breaks_old_nodes_is_found() -> None:
    """A guard that can't bark is no guard."""
    damages: list[Any] = [
        lambda m: m.field.pop(),
        lambda m: setattr(m.field[0], "number", 77),
        lambda m: setattr(m.field[0], "name", "other"),
        lambda m: setattr(m.field[0], "type", descriptor_pb2.FieldDescriptorProto.TYPE_BOOL),
        lambda m: setattr(m, "name", "Gone"),
    ]
    for damage in damages:
        today = _today()
        damage(today["fieldmesh/wire/v1/batch.proto"].message_type[0])
        assert _broken(_frozen(), today) != []


def test_a_field_that_was_removed_with_care_is_no_breach() -> None:
    """Its number and name are reserved for ever."""
    today = _today()
    message = today["fieldmesh/wire/v1/batch.proto"].message_type[0]
    gone = message.field.pop()
    message.reserved_range.add(start=gone.number, end=gone.number + 1)
    message.reserved_name.append(gone.name)
    assert _broken(_frozen(), today) == []


def test_every_frozen_message_has_a_file() -> None:
    """The descriptors are whole."""
    assert {file.name for file in _frozen().file} == set(_today())


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_messages_of_the_release_are_read_as_they_were_meant(name: str) -> None:
    """These bytes lie in outboxes and carrier files somewhere."""
    meant = json.loads((FOLDER / "messages.json").read_text("utf-8"))[name]
    content = (FOLDER / f"{name}.bin").read_bytes()
    found = type(MESSAGES[name]).FromString(content)
    read = MessageToDict(found, preserving_proto_field_name=True)
    assert {field: read.get(field) for field in meant} == meant
