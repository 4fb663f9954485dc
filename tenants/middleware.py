"""From a request to its tenant's transaction: where it is going, who sends it, one way in."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import get_script_prefix, set_script_prefix

from config.api import problems
from config.api.errors import DomainError
from config.api.streams import Attachment
from tenants import (
    addressing,
    admission,
    connections,
    context,
    identity,
    leftovers,
    limits,
    origin,
    refusals,
)
from tenants.admission import Guest
from tenants.arrival import Arrival
from tenants.door import Room
from tenants.errors import TenantMismatch, UnknownTenant
from tenants.slots import Slot

Handler = Callable[[HttpRequest], HttpResponse]


class AddressMiddleware:
    """Reads the tenant from host or path, and takes the prefix off the path."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: Arrival) -> HttpResponse:
        leftovers.forget()
        request.client_address = origin.of(request)
        came_from = origin.address.set(request.client_address)
        prefix = get_script_prefix()
        try:
            return self._addressed(request)
        finally:
            set_script_prefix(prefix)
            origin.address.reset(came_from)

    def _addressed(self, request: Arrival) -> HttpResponse:
        try:
            address = self._resolve(request)
        except (DomainError, DisallowedHost, DatabaseError) as fault:
            return problems.response(problems.from_exception(fault))
        request.tenant_id = address.tenant_id
        if address.tenant_id is not None:
            request.urlconf = settings.TENANT_URLCONF
        if address.prefix:
            request.path_info = address.path
            request.META["SCRIPT_NAME"] = address.prefix
            set_script_prefix(address.prefix)
        return self.get_response(request)

    def _resolve(self, request: HttpRequest) -> addressing.Address:
        """Raises UnknownTenant, and for who tries too many names TooManyRequests."""
        try:
            return addressing.resolve(request.get_host(), request.path_info)
        except UnknownTenant as unknown:
            unknown.headers |= admission.turn_away(origin.address.get()).headers()
            raise


class TenantMiddleware:
    """Verifies the credential and runs the view inside the tenant it names.

    The transaction is this class's: an answer of 400 or more leaves nothing behind, but for what
    an action kept before it refused (`context.keep`).
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: Arrival) -> HttpResponse:
        try:
            at_platform = request.tenant_id is None
            if at_platform and request.path_info in settings.UNMETERED_PATHS:
                return private(self.get_response(request))
            return self._through_the_door(request)
        except Exception as fault:  # noqa: BLE001 - whatever it is, nobody gets past the door
            refusals.note(request, fault)
            return problems.response(problems.from_exception(fault))

    def _through_the_door(self, request: Arrival) -> HttpResponse:
        request.identity = caller = self._identify(request)
        slot = None if caller is None else Slot(caller.tenant_id)
        try:
            room = self._admit(request, caller, slot)
        finally:  # only who has proven to be there has a tier: a stranger's words make no series
            if caller is not None:
                request.tier = limits.known_tier(caller.tenant_id)
        response = self._attend(request, caller)
        for name, value in room.headers().items():
            response.setdefault(name, value)
        if slot is not None:
            _leave_after(response, slot)
        return response

    def _attend(self, request: HttpRequest, caller: identity.Identity | None) -> HttpResponse:
        """What somebody who was let in is answered; from here on nothing is raised."""
        try:
            if caller is not None and caller.is_witnessed:
                query = request.META.get("QUERY_STRING", "")
                method, path = str(request.method), request.path_info
                identity.witness(caller, method=method, path=path, query=query)
            return private(self._answer(request, caller))
        except Exception as fault:  # noqa: BLE001 - also what a commit or its callbacks raise
            return problems.response(problems.from_exception(fault))

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse:
        """What a view did not handle: a problem document, with DEBUG on as well."""
        return problems.response(problems.from_exception(exception))

    def _identify(self, request: Arrival) -> identity.Identity | None:
        """The caller, if a credential came along. Raises for a bad one, or another tenant's."""
        credential = request.headers.get("Authorization")
        if not credential:
            return None
        caller = admission.verify(credential, address=origin.address.get())
        if request.tenant_id not in (None, caller.tenant_id):
            guest = Guest.of(caller, address=origin.address.get())
            room = admission.admit(guest, is_data=True)
            identity.misdirected(caller, path=request.path)
            raise TenantMismatch(headers=room.headers())
        return caller

    def _admit(self, request: Arrival, caller: identity.Identity | None, slot: Slot | None) -> Room:
        """Raises what `admission.admit` raises."""
        guest = Guest(origin.address.get(), request.tenant_id)
        if caller is not None:
            guest = Guest.of(caller, address=guest.address)
        is_data = not request.path_info.startswith(settings.PLATFORM_PATHS)
        return admission.admit(guest, is_data=is_data, slot=slot)

    def _answer(self, request: HttpRequest, caller: identity.Identity | None) -> HttpResponse:
        path = request.path_info
        if caller is not None and path.startswith(settings.PERSONAL_PATHS):
            return self._inside(request, caller.personal_context())
        if caller is None or path.startswith(settings.PLATFORM_PATHS):
            return self.get_response(request)
        return self._inside(request, caller.context())

    def _inside(self, request: HttpRequest, where: context.TenantContext) -> HttpResponse:
        with connections.share(where.tenant_id), context.enter(where):
            response = self.get_response(request)
            is_refused = 400 <= response.status_code < 500
            if response.status_code >= 400 and not (is_refused and context.is_kept()):
                transaction.set_rollback(True)
        return response


def private(response: HttpResponse) -> HttpResponse:
    """For the caller alone, and kept by nobody: data, tokens and refusals alike."""
    response.setdefault("Cache-Control", "private, no-store")
    return response


def _leave_after(response: HttpResponse, slot: Slot) -> None:
    """The request is over, and its slot free: at once, or when a stream has come to its end.

    Django closes what streams when it has been read, or its reader has hung up. One that is dropped
    without a word takes the slot along, which then runs out.
    """
    if isinstance(response, Attachment):
        response.meter = slot.streams()
    if response.streaming:
        leave = partial(slot.leave, response.status_code)
        # There is no other way to be told.
        response._resource_closers.append(leave)  # type: ignore[attr-defined]
    else:
        slot.leave(response.status_code)
