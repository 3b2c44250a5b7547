"""Errors of the API, one class a reason, under one root.

Every error that a server answers with carries ``code`` (the HTTP status), ``reason``, ``message``, ``causes`` (one entry a
faulty field) and ``retry_after`` (seconds, where the server said so).

    try:
        client.create(clone_set)
    except kruise.Invalid as error:
        for cause in error.causes:
            print(cause.field, cause.message)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = [
    "AlreadyExists",
    "ApiError",
    "BadRequest",
    "Cause",
    "Conflict",
    "Expired",
    "Forbidden",
    "Invalid",
    "KruiseError",
    "NotFound",
    "ServerError",
    "TimedOut",
    "TooManyRequests",
    "Unauthorized",
    "Unreachable",
    "UnsupportedMediaType",
]


class KruiseError(Exception):
    """The root of all errors raised by this package."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason for a refusal: which field, and what is wrong with it."""

    reason: str
    message: str
    field: str


class ApiError(KruiseError):
    """An answer of 400 or above, or no answer at all (``code`` 0)."""

    def __init__(
        self,
        message: str,
        *,
        code: int = 0,
        reason: str = "",
        causes: Sequence[Cause] = (),
        retry_after: float | None = None,
        outcome_unknown: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.reason = reason
        self.causes = tuple(causes)
        self.retry_after = retry_after
        self.outcome_unknown = outcome_unknown

    def __str__(self) -> str:
        where = " ".join(part for part in (str(self.code) if self.code else "", self.reason) if part)
        return f"{self.message} ({where})" if where else self.message


class BadRequest(ApiError):
    """400: the request is malformed."""


class Unauthorized(ApiError):
    """401: no valid credentials."""


class Forbidden(ApiError):
    """403: valid credentials, missing rights."""


class NotFound(ApiError):
    """404: there is no such object, or no such kind on this server."""


class Conflict(ApiError):
    """409: the object changed since it was read. Read it again and decide anew."""


class AlreadyExists(Conflict):
    """409: an object of this name exists."""


class Expired(ApiError):
    """410: the version asked for is too old. List again."""


class UnsupportedMediaType(ApiError):
    """415: for example a strategic merge patch on a custom resource."""


class Invalid(ApiError):
    """422: the object, or the result of the patch, is not valid; ``causes`` names the fields."""


class TooManyRequests(ApiError):
    """429: the server asks to wait ``retry_after`` seconds."""


class ServerError(ApiError):
    """5xx: the server failed."""


class Unreachable(ApiError):
    """No answer: the connection could not be made or broke."""


class TimedOut(Unreachable):
    """No answer in time."""


_BY_CODE: dict[int, type[ApiError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Expired,
    415: UnsupportedMediaType,
    422: Invalid,
    429: TooManyRequests,
}


def _class_of(code: int, reason: str) -> type[ApiError]:
    if code == 0:
        return TimedOut if reason == "Timeout" else Unreachable
    if reason == "AlreadyExists":
        return AlreadyExists
    if code >= 500:
        return ServerError
    return _BY_CODE.get(code, ApiError)


def _from_core(
    code: int,
    reason: str,
    message: str,
    causes: Sequence[tuple[str, str, str]],
    retry_after: float | None,
    outcome_unknown: bool,
) -> ApiError:
    """Called by the C++ core to turn its error into ours."""
    return _class_of(code, reason)(
        message,
        code=code,
        reason=reason,
        causes=[Cause(*cause) for cause in causes],
        retry_after=retry_after,
        outcome_unknown=outcome_unknown,
    )
