"""Settings: a frozen dataclass per node, from defaults, a TOML file, the environment, flags.

Later sources win. A key that no field has is an error with a suggestion, also in the environment
behind the node's prefix. Durations (fields that end
in ``_s``) and sizes (``_bytes``) may carry units in the file: ``"30s"``, ``"64MiB"``. A field whose
metadata say ``secret`` holds a secret: its value is never shown, and the environment may not set
it. The page of settings is made from the fields' ``help``.
"""

from __future__ import annotations

import dataclasses
import difflib
import os
import re
import tomllib
import types
import typing
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from fieldmesh.basics.errors import Rejected

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")

_SECONDS: Final = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
_BYTES: Final = {
    "B": 1,
    "kB": 1_000,
    "MB": 1_000_000,
    "GB": 1_000_000_000,
    "KiB": 1 << 10,
    "MiB": 1 << 20,
    "GiB": 1 << 30,
}
_WITH_UNIT: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+)")
_LANGUAGE_NAMES: Final = ("FIELDMESH_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
_MASKED: Final = "***"
_TRUE: Final = {"true", "yes", "on", "1"}
_FALSE: Final = {"false", "no", "off", "0"}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as it is documented and shown.

    Attributes:
        key: dotted name, as in the file: ``bus.port``.
        kind: what it holds, in words of the file.
        default: the default as text.
        help: what it does.
        secret: whether its value must not be shown.
    """

    key: str
    kind: str
    default: str
    help: str
    secret: bool


@dataclass(frozen=True, slots=True)
class Loaded(Generic[T]):
    """Settings, and where each value that is not a default comes from."""

    settings: T
    origins: dict[str, str]


def load(
    kind: type[T],
    file: Path | None = None,
    env_prefix: str = "",
    flags: Mapping[str, object] | None = None,
) -> T:
    """The settings.

    Args:
        kind: a dataclass whose fields all have defaults; fields may be dataclasses (TOML tables).
        file: a TOML file; a missing file counts as empty.
        env_prefix: a field ``port`` of the table ``bus`` is ``<prefix>BUS__PORT``; "" = the environment is not read.
        flags: values by dotted name; None means that the flag was not given.

    Raises:
        Rejected: `settings_invalid`, with file and key as its place.
    """
    return load_with_origins(kind, file, env_prefix, flags).settings


def load_with_origins(
    kind: type[T],
    file: Path | None = None,
    env_prefix: str = "",
    flags: Mapping[str, object] | None = None,
) -> Loaded[T]:
    """As `load`, with the origin of each value."""
    known = _fields(kind)
    values: dict[str, object] = {}
    origins: dict[str, str] = {}
    for key, value in _from_file(file, known).items():
        values[key], origins[key] = value, str(file)
    for name, text in os.environ.items():  # noqa: TID251 - this is the one door
        if env_prefix and name.startswith(env_prefix):
            key = name.removeprefix(env_prefix).replace("__", ".").lower()
            _refuse_unknown(key, known, name)
            _refuse_secret(key, known, name)
            values[key], origins[key] = text, name
    for key, value in (flags or {}).items():
        if value is not None:
            _refuse_unknown(key, known, "flag")
            values[key], origins[key] = value, "flag"
    converted = {
        key: _convert(value, known[key][1], key, origins[key]) for key, value in values.items()
    }
    return Loaded(_build(kind, "", converted), origins)


def show(settings: object, origins: Mapping[str, str] | None = None) -> dict[str, dict[str, str]]:
    """Every setting with its value and origin, secrets masked.

    Without ``origins``, the origin says only whether the value is the default.
    """
    shown: dict[str, dict[str, str]] = {}
    for key, (field, _) in _fields(type(settings)).items():
        value: Any = settings
        for part in key.split("."):
            value = getattr(value, part)
        differs = "default" if value == _default_of(field) else "set"
        text = _MASKED if field.metadata.get("secret") and value else _as_text(value)
        shown[key] = {"value": text, "origin": (origins or {}).get(key, differs)}
    return shown


def describe(kind: type) -> list[Setting]:
    """Every setting of a dataclass, in the order of its fields."""
    return [
        Setting(
            key,
            _kind_text(key, annotation),
            _as_text(_default_of(field)),
            str(field.metadata.get("help", "")),
            bool(field.metadata.get("secret")),
        )
        for key, (field, annotation) in _fields(kind).items()
    ]


def language_of_environment() -> str:
    """The language that the person at the keyboard has set, such as ``bg_BG.UTF-8``, or nothing."""
    for name in _LANGUAGE_NAMES:
        text = os.environ.get(name)  # noqa: TID251 - this is the one door
        if text:
            return text
    return ""


def _fields(kind: type, prefix: str = "") -> dict[str, tuple[dataclasses.Field[Any], Any]]:
    hints = typing.get_type_hints(kind)
    found: dict[str, tuple[dataclasses.Field[Any], Any]] = {}
    for field in dataclasses.fields(kind):
        annotation = hints[field.name]
        if dataclasses.is_dataclass(annotation) and isinstance(annotation, type):
            found.update(_fields(annotation, f"{prefix}{field.name}."))
        else:
            found[prefix + field.name] = (field, annotation)
    return found


def _default_of(field: dataclasses.Field[Any]) -> object:
    if field.default is not dataclasses.MISSING:
        return field.default
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return None


def _from_file(file: Path | None, known: Mapping[str, object]) -> dict[str, object]:
    if file is None or not file.exists():
        return {}
    try:
        tree = tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Rejected("settings_invalid", place=str(file), text=str(error)) from None
    except OSError:
        raise Rejected("file_unreadable", place=str(file)) from None
    flat = _flatten(tree, "", known)
    for key in flat:
        _refuse_unknown(key, known, str(file))
    return flat


def _flatten(
    tree: Mapping[str, object], prefix: str, known: Mapping[str, object]
) -> dict[str, object]:
    flat: dict[str, object] = {}
    for name, value in tree.items():
        key = prefix + name
        if isinstance(value, dict) and key not in known:
            flat.update(_flatten(value, f"{key}.", known))
        else:
            flat[key] = value
    return flat


def _refuse_unknown(key: str, known: Mapping[str, object], origin: str) -> None:
    if key in known:
        return
    near = difflib.get_close_matches(key, known, n=1)
    text = f"there is no setting {key}"
    if near:
        text += f"; did you mean {near[0]}?"
    raise Rejected("settings_invalid", place=origin, text=text, key=key)


def _refuse_secret(
    key: str, known: Mapping[str, tuple[dataclasses.Field[Any], Any]], origin: str
) -> None:
    if known[key][0].metadata.get("secret"):
        text = (
            f"{key} is a secret, which everyone on the machine could read here; set it in the file"
        )
        raise Rejected("settings_invalid", place=origin, text=text, key=key)


def _build(kind: type[T], prefix: str, values: Mapping[str, object]) -> T:
    hints = typing.get_type_hints(kind)
    given: dict[str, object] = {}
    for field in dataclasses.fields(typing.cast("Any", kind)):
        annotation = hints[field.name]
        key = prefix + field.name
        if dataclasses.is_dataclass(annotation) and isinstance(annotation, type):
            given[field.name] = _build(annotation, f"{key}.", values)
        elif key in values:
            given[field.name] = values[key]
    try:
        return kind(**given)
    except (TypeError, ValueError) as error:
        raise Rejected("settings_invalid", place=prefix.rstrip("."), text=str(error)) from None


def _convert(value: object, annotation: Any, key: str, origin: str) -> object:
    """The value as the field holds it."""
    try:
        return _as_kind(value, annotation, key)
    except (TypeError, ValueError) as error:
        text = f"{key} must be {_kind_text(key, annotation)}"
        if isinstance(error, ValueError) and str(error):
            text += f" ({error})"
        raise Rejected("settings_invalid", place=origin, text=text, key=key) from None


def _as_kind(value: object, annotation: Any, key: str) -> object:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in {typing.Union, types.UnionType}:
        wanted = [found for found in arguments if found is not type(None)]
        return None if value is None or value == "" else _as_kind(value, wanted[0], key)
    if origin in {list, tuple}:
        parts = value
        if isinstance(value, str):
            parts = [part.strip() for part in value.split(",") if part.strip()]
        if not isinstance(parts, list | tuple):
            raise TypeError
        return origin(_as_kind(part, arguments[0], key) for part in parts)
    if origin is dict:
        if not isinstance(value, dict):
            raise TypeError
        return {str(name): _as_kind(item, arguments[1], key) for name, item in value.items()}
    return _as_plain(value, annotation, key)


def _as_plain(value: object, annotation: Any, key: str) -> object:
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return annotation(value)
    if annotation is bool:
        return _as_boolean(value)
    if annotation in {int, float}:
        return _as_number(value, annotation, key)
    if annotation in {str, Path} and isinstance(value, str | Path):
        return annotation(value)
    raise TypeError


def _as_boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in _TRUE | _FALSE:
        return value.lower() in _TRUE
    raise TypeError


def _as_number(value: object, kind: type, key: str) -> int | float:
    if isinstance(value, bool):
        raise TypeError
    if isinstance(value, str):
        value = _with_unit(value.strip(), key)
    if not isinstance(value, int | float):
        raise TypeError
    if kind is int:
        if value != int(value):
            raise TypeError
        return int(value)
    return float(value)


def _with_unit(text: str, key: str) -> int | float:
    found = _WITH_UNIT.fullmatch(text)
    if not found:
        return float(text) if "." in text else int(text)
    number, unit = found.groups()
    units: Mapping[str, float] = {}
    if key.endswith("_s"):
        units = _SECONDS
    elif key.endswith("_bytes"):
        units = _BYTES
    if unit not in units:
        message = f"unknown unit {unit}"
        raise ValueError(message)
    return float(number) * units[unit]


def _kind_text(key: str, annotation: Any) -> str:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in {typing.Union, types.UnionType}:
        return _kind_text(key, arguments[0]) + " or empty"
    if origin in {list, tuple}:
        return f"a list of {_kind_text('', arguments[0])}"
    return "a table" if origin is dict else _plain_kind_text(key, annotation)


def _plain_kind_text(key: str, annotation: Any) -> str:
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return "one of " + ", ".join(str(member.value) for member in annotation)
    if annotation in {int, float} and key.endswith("_s"):
        return 'a duration such as "30s"'
    if annotation in {int, float} and key.endswith("_bytes"):
        return 'a size such as "64MiB"'
    names = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}
    return names.get(annotation, "a path")


def _as_text(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(str(part) for part in value)
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
