"""The same way in, up to the transaction."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest, HttpResponse

from tenants import connections
from tenants.context import TenantContext
from tenants.middleware import TenantMiddleware


class TransactionMiddleware(TenantMiddleware):
    """Verifies the same credential and opens a plain transaction for the view."""

    def _inside(self, request: HttpRequest, where: TenantContext) -> HttpResponse:
        with connections.share(where.tenant_id), transaction.atomic():
            response = self.get_response(request)
            if response.status_code >= 400:
                transaction.set_rollback(True)
        response.setdefault("Cache-Control", "private, no-store")
        return response


assert "_inside" in vars(TenantMiddleware), "the method that enters the tenant has another name"
