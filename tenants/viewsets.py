"""The one base of API views over tenant rows, sealed against the ways around it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404
from rest_framework.viewsets import GenericViewSet

from tenants import context
from tenants.context import Scope
from tenants.ownership import TenantOwned, UserOwned


class TenantViewSet(GenericViewSet[Any]):
    """Rows of the entered tenant, and of the caller alone where rows have an owner.

    Subclasses name `model` and `permission_classes`, and may override `narrow()`. Overriding
    `get_queryset`, or declaring no permissions, is refused when the class is made.
    """

    model: ClassVar[type[TenantOwned]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for sealed in ("get_queryset", "get_object", "queryset"):
            # By identity, so that a mixin in front of this class is caught as well.
            if getattr(cls, sealed, None) is not getattr(TenantViewSet, sealed, None):
                raise TypeError(f"{cls.__name__}.{sealed}: override narrow() instead")
        if not cls.__dict__.get("permission_classes"):
            raise TypeError(f"{cls.__name__} declares no permission_classes")
        if not issubclass(getattr(cls, "model", object), TenantOwned):
            raise TypeError(f"{cls.__name__}.model is no tenant-owned model")

    def get_queryset(self) -> QuerySet[Any]:
        """What the caller may see.

        The walls say the same, but hide their values from the planner, which would take the largest
        tenant for an average one.
        """
        rows: QuerySet[Any] = self.model._default_manager.all()
        if getattr(self, "swagger_fake_view", False):
            return rows.none()
        entered = context.require()
        rows = rows.filter(tenant_id=entered.tenant_id)
        if issubclass(self.model, UserOwned) and entered.scope is Scope.USER:
            rows = rows.filter(user_id=entered.actor.user_id)
        return self.narrow(rows)

    def narrow(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Room for a subclass to restrict further."""
        return rows

    def get_object(self) -> Any:
        """The row of the path; a key that is no UUID is as missing as one that is nobody's."""
        try:
            return super().get_object()
        except (ValidationError, ValueError) as fault:
            raise Http404 from fault
