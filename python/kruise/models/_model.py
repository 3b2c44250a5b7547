"""What every generated model can do: read a dictionary, write one, and keep what it does not know.

`None` means absent: the member is not written. A JSON null, or a member of an API level that the model does not know, is kept in
`extra` and written back as it came.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar, NamedTuple, Self

_TABLES: dict[type, dict[str, Member]] = {}


class ModelError(ValueError):
    """Data that has not the form of the model; `path` names the member, as in `spec.updateStrategy.partition`."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}" if path else problem)
        self.path = path
        self.problem = problem


class Codec(NamedTuple):
    """How one member is read (given its path) and written."""

    read: Callable[[Any, str], Any]
    write: Callable[[Any], Any]


class Member(NamedTuple):
    """One field of a model: its names in Python and in JSON, and its codec."""

    name: str
    json: str
    codec: Codec


@dataclass(slots=True, kw_only=True, repr=False)
class Model:
    """Base of the generated models.

    Attributes:
        extra: members that the model does not know, and explicit nulls, by their JSON names. Known members win over them.
    """

    MEMBERS: ClassVar[tuple[Member, ...]] = ()

    extra: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        """The builder that makes it: what is absent is left out."""
        names = (*(member.name for member in self.MEMBERS), "extra")
        given = [(name, getattr(self, name)) for name in names]
        shown = (f"{name}={value!r}" for name, value in given if value is not None and (name != "extra" or value))
        return f"{type(self).__name__}({', '.join(shown)})"

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], path: str = "") -> Self:
        """Reads a JSON object, as `json.load` gives it.

        Raises:
            ModelError: a known member has another type than it should; `path` says which.
        """
        if not isinstance(data, Mapping):
            raise ModelError(path, f"expected an object, found {type(data).__name__}")
        model = cls()
        members = _by_json(cls)
        for key, value in data.items():
            member = members.get(key)
            if member is None or value is None:
                model.extra[key] = value
            else:
                setattr(model, member.name, member.codec.read(value, f"{path}.{key}" if path else key))
        return model

    def to_dict(self) -> dict[str, Any]:
        """The JSON object: what is `None` is absent, `extra` is put back."""
        written: dict[str, Any] = {}
        for member in self.MEMBERS:
            value = getattr(self, member.name)
            if value is not None:
                written[member.json] = member.codec.write(value)
        for key, value in self.extra.items():
            written.setdefault(key, value)
        return written


@dataclass(slots=True, kw_only=True, repr=False)
class Kind(Model):
    """Base of the models of whole objects; they know what the API calls them."""

    API_VERSION: ClassVar[str] = ""
    KIND: ClassVar[str] = ""
    PLURAL: ClassVar[str] = ""
    NAMESPACED: ClassVar[bool] = True

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], path: str = "") -> Self:
        """As `Model.from_dict`; `apiVersion` and `kind` may be missing, but must be this model's where they are not."""
        rest = dict(data)
        for key, wanted in (("apiVersion", cls.API_VERSION), ("kind", cls.KIND)):
            found = rest.pop(key, wanted)
            if found != wanted:
                raise ModelError(f"{path}.{key}" if path else key, f"expected {wanted!r}, found {found!r}")
        return super(Kind, cls).from_dict(rest, path)

    def to_dict(self) -> dict[str, Any]:
        """As `Model.to_dict`, with `apiVersion` and `kind` first."""
        return {"apiVersion": self.API_VERSION, "kind": self.KIND, **super(Kind, self).to_dict()}


def _by_json(cls: type[Model]) -> dict[str, Member]:
    table = _TABLES.get(cls)
    if table is None:
        table = _TABLES[cls] = {member.json: member for member in cls.MEMBERS}
    return table


def _same(value: Any) -> Any:
    return value


def _scalar(word: str, *types: type) -> Codec:
    def read(value: Any, path: str) -> Any:
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            raise ModelError(path, f"expected {word}, found {type(value).__name__}")
        return value

    return Codec(read, _same)


def _read_time(value: Any, path: str) -> datetime:
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise ModelError(path, f"{value!r} is not a time") from error


def _write_time(value: datetime) -> str:
    moment = value.astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ" if moment.microsecond else "%Y-%m-%dT%H:%M:%SZ")


STRING = _scalar("a string", str)
BOOL = _scalar("true or false", bool)
INT = _scalar("an integer", int)
INT_OR_STRING = _scalar("an integer or a string", int, str)
TIME = Codec(_read_time, _write_time)
QUANTITY = _scalar("a quantity", int, float, str)
ANY = Codec(lambda value, _path: value, lambda value: value.to_dict() if isinstance(value, Model) else value)


def nested(model: type[Model]) -> Codec:
    """The codec of a member that is a model itself."""
    return Codec(model.from_dict, lambda value: value.to_dict())


def list_of(codec: Codec) -> Codec:
    """The codec of a list."""

    def read(value: Any, path: str) -> list[Any]:
        if not isinstance(value, list):
            raise ModelError(path, f"expected a list, found {type(value).__name__}")
        return [codec.read(item, f"{path}[{index}]") for index, item in enumerate(value)]

    return Codec(read, lambda value: [codec.write(item) for item in value])


def map_of(codec: Codec) -> Codec:
    """The codec of an object whose members are all of one type."""

    def read(value: Any, path: str) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise ModelError(path, f"expected an object, found {type(value).__name__}")
        return {key: codec.read(item, f"{path}.{key}") for key, item in value.items()}

    return Codec(read, lambda value: {key: codec.write(item) for key, item in value.items()})


LABELS = map_of(STRING)
