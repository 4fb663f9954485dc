"""The only place where errors become HTTP: `application/problem+json` (RFC 9457)."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

import psycopg
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import DatabaseError, DataError, IntegrityError, OperationalError
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    JsonResponse,
    UnreadablePostError,
)
from rest_framework import exceptions
from rest_framework.response import Response

from config.api.errors import DomainError
from config.logs import request_id

CONTENT_TYPE = "application/problem+json"
_log = logging.getLogger("bulkhead.problems")


class NotFound(DomainError):
    code = "not_found"
    status = 404
    title = "Not found."


class Forbidden(DomainError):
    code = "forbidden"
    status = 403
    title = "This credential does not allow that."


class Invalid(DomainError):
    code = "invalid"
    status = 400
    title = "The request is not valid."


class TooLarge(DomainError):
    code = "too_large"
    status = 413
    title = "The request is too large."


class Conflict(DomainError):
    code = "conflict"
    status = 409
    title = "The request contradicts what is stored."


class Unavailable(DomainError):
    code = "unavailable"
    status = 503
    title = "The service is not available right now. Try again."

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail, headers={"Retry-After": "2"})


class Internal(DomainError):
    code = "internal"
    status = 500
    title = "Something went wrong here. The request id finds it in the logs."


class Unrecorded(DomainError):
    """The chain of a trail cannot go on: whoever owns the database has to look at it."""

    code = "trail_broken"
    status = 500
    title = "What was asked could not be recorded, and so was not done."


# Raised by triggers, in the class BH that no other software uses.
_BY_SQLSTATE: dict[str | None, type[DomainError]] = {"BH006": Unrecorded}


def document(error: DomainError) -> dict[str, object]:
    """The problem document: never a trace, never SQL, never a constraint's DETAIL."""
    return {
        "type": f"/problems/{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail if error.status < 500 else error.title,
        "code": error.code,
        "errors": error.errors,
        "request_id": request_id.get(),
    }


def response(error: DomainError) -> HttpResponse:
    """For middleware and Django's own error views."""
    if error.status >= 500:
        _log.error("%s: %s", error.code, error.detail, exc_info=error)
    answer = JsonResponse(document(error), status=error.status, content_type=CONTENT_TYPE)
    for name, value in _headers(error).items():
        answer[name] = value
    return answer


def handle(fault: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. Unknown faults stay exceptions, and so become `server_error`."""
    error = _domain_error(fault)
    if error is None:
        return None
    if error.status >= 500:
        _log.error("%s: %s", error.code, error.detail, exc_info=fault)
    return Response(
        document(error), status=error.status, headers=_headers(error), content_type=CONTENT_TYPE
    )


def from_exception(fault: Exception) -> DomainError:
    """Any exception as a problem; one that nobody knows is `internal`, with its cause."""
    error = _domain_error(fault)
    if error is None:
        error = Internal()
        error.__cause__ = fault
    return error


def from_database(fault: DatabaseError) -> DomainError:
    """A database error as a problem; a named constraint's name is the code."""
    cause = fault.__cause__
    diagnosis = cause.diag if isinstance(cause, psycopg.Error) else None
    if diagnosis and (named := _BY_SQLSTATE.get(diagnosis.sqlstate)):
        return named()
    if isinstance(fault, IntegrityError):
        return _conflict(diagnosis.constraint_name if diagnosis else None)
    if isinstance(fault, OperationalError):
        return Unavailable()
    if isinstance(fault, DataError):
        return Invalid("A value is larger than what can be stored.")
    return Internal()


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return response(Invalid("The request could not be read."))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return response(Forbidden())


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Also the last route, so that with DEBUG on nobody gets a page of the program's insides."""
    return response(NotFound())


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Only the admin's forms have tokens; a POST to a path that nobody serves is just missing."""
    match = request.resolver_match
    missing = match is not None and match.func is page_not_found
    return response(NotFound() if missing else Forbidden("The form has expired: load it again."))


def server_error(request: HttpRequest) -> HttpResponse:
    return response(Internal())


def _headers(error: DomainError) -> dict[str, str]:
    extra = {"WWW-Authenticate": "Bearer"} if error.status == HTTPStatus.UNAUTHORIZED else {}
    return {"Cache-Control": "private, no-store", **extra, **error.headers}


def _conflict(constraint: str | None) -> DomainError:
    error = Conflict()
    if constraint:
        error.code = constraint
    return error


def _domain_error(fault: Exception) -> DomainError | None:
    match fault:
        case DomainError():
            found: DomainError | None = fault
        case Http404():
            found = NotFound()
        case PermissionDenied():
            found = Forbidden()
        case exceptions.ValidationError():
            found = Invalid("See `errors`.", errors=_field_errors(fault.detail))
        case exceptions.APIException():
            found = _from_drf(fault)
        case DatabaseError():
            found = from_database(fault)
        case RequestDataTooBig():
            found = TooLarge()
        case SuspiciousOperation() | UnreadablePostError():
            found = Invalid("The request could not be read.")
        case _:
            found = None
    return found


def _from_drf(fault: exceptions.APIException) -> DomainError:
    status = fault.status_code
    if isinstance(fault, exceptions.NotFound):
        return NotFound()
    if isinstance(fault, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        status = HTTPStatus.UNAUTHORIZED
    error = DomainError(str(fault.detail))
    error.status = int(status)
    error.code = str(fault.get_codes()) if isinstance(fault.detail, str) else "invalid"
    error.title = HTTPStatus(status).phrase
    return error


def _field_errors(detail: Any, path: str = "") -> list[dict[str, object]]:
    """DRF's nested errors as a flat list of `{field, code, message}`."""
    if isinstance(detail, dict):
        return [
            entry
            for name, value in detail.items()
            for entry in _field_errors(value, f"{path}.{name}" if path else str(name))
        ]
    if isinstance(detail, list):
        return [entry for value in detail for entry in _field_errors(value, path)]
    return [{"field": path, "code": getattr(detail, "code", "invalid"), "message": str(detail)}]
