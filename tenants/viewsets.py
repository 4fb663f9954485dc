"""The sealed bases of API views over rows that belong to a tenant."""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from tenants import context, fullness
from tenants.constraints import SharedTable
from tenants.context import Scope, TenantContext
from tenants.measuring import soon
from tenants.ownership import TenantOwned
from tenants.rls import SharedWall

_SEALED = ("get_queryset", "get_object", "queryset", "is_held_to_account", "initial")


class SealedViewSet(GenericViewSet[Any]):
    """Rows of the entered tenant, and of the caller alone where rows have an owner.

    Subclasses name `model` and `permission_classes`, and may override `narrow()`. Overriding
    `get_queryset`, or declaring no permissions, is refused when the class is made.
    """

    model: ClassVar[type[Model]]
    has_counted_rows: ClassVar[bool] = False  # against what the plan lets a tenant have

    def __init_subclass__(cls, *, is_base: bool = False, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for sealed in _SEALED:
            # By identity, so that a mixin in front of this class is caught as well.
            if getattr(cls, sealed, None) is not getattr(SealedViewSet, sealed, None):
                raise TypeError(f"{cls.__name__}.{sealed}: override narrow() instead")
        if is_base:
            return
        if not cls.__dict__.get("permission_classes"):
            raise TypeError(f"{cls.__name__} declares no permission_classes")
        cls.check_model(getattr(cls, "model", object))

    @classmethod
    def check_model(cls, model: type) -> None:
        """Raises TypeError for a model whose rows this base cannot tell apart."""
        raise TypeError(f"{cls.__name__}: of {model}, choose TenantViewSet or SharedRowsViewSet")

    @property
    def is_held_to_account(self) -> bool:
        """Whether the rows name an account, so that a key of one account meets no other's."""
        return account_column(self.model) is not None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Who may not call hears that first. Raises RowLimitReached or StorageLimitReached."""
        super().initial(request, *args, **kwargs)
        if self.has_counted_rows and self._makes_rows(request):
            fullness.refuse_if_full()

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        """Who has made room may fill it soon."""
        if request.method == "DELETE" and self.has_counted_rows and response.status_code < 400:
            soon.after_deletion()
        return super().finalize_response(request, response, *args, **kwargs)

    def _makes_rows(self, request: Request) -> bool:
        """A POST, unless it says that it works for who is full; of all else what says so. What
        nobody answers hears that."""
        act = getattr(self, self.action, None) if self.action else None
        if request.method == "POST":
            return act is not None and not hasattr(act, "works_when_full")
        return hasattr(act, "makes_rows")

    def get_queryset(self) -> QuerySet[Any]:
        """What the caller may see.

        The walls say the same, but hide their values from the planner, which would take the largest
        tenant for an average one.
        """
        rows: QuerySet[Any] = self.model._default_manager.all()
        if getattr(self, "swagger_fake_view", False):
            return rows.none()
        return self.narrow(rows.filter(**_own(self.model, context.require())))

    def narrow(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Room for a subclass to restrict further."""
        return rows

    def get_object(self) -> Any:
        """The row of the path; a key that is no UUID is as missing as one that is nobody's."""
        try:
            return super().get_object()
        except (ValidationError, ValueError) as fault:
            raise Http404 from fault


class TenantViewSet(SealedViewSet, is_base=True):
    """Rows of a tenant-owned model."""

    has_counted_rows = True

    @classmethod
    def check_model(cls, model: type) -> None:
        if not issubclass(model, TenantOwned):
            raise TypeError(f"{cls.__name__}.model is no tenant-owned model")


class SharedRowsViewSet(SealedViewSet, is_base=True):
    """Rows that stand in `public` for all tenants, and each name their tenant."""

    @classmethod
    def check_model(cls, model: type) -> None:
        wall = _wall(model)
        if wall is None or wall.read not in ("own", "kept") or wall.tenant_column is None:
            raise TypeError(f"{cls.__name__}.model is no shared model whose rows name their tenant")


def account_column(model: type[Model]) -> str | None:
    """The column by which a key of one trading account is held to it; None where there is none."""
    if model._meta.label == settings.ACCOUNT_MODEL:
        return "pk"
    named = any(field.attname == "account_id" for field in model._meta.concrete_fields)
    return "account_id" if named else None


def _own(model: type[Model], entered: TenantContext) -> dict[str, Any]:
    """What tells the caller's rows from all others."""
    tenant_column, owner_column = _columns(model)
    own: dict[str, Any] = {tenant_column: entered.tenant_id}
    if owner_column and entered.scope is Scope.USER:
        own[owner_column] = entered.actor.user_id
    if entered.actor.account_id is not None:
        column = account_column(model)
        if column is not None:
            own[column] = entered.actor.account_id
    return own


@cache
def _columns(model: type[Model]) -> tuple[str, str | None]:
    """The columns of tenant and owner."""
    wall = _wall(model)
    if wall is not None and wall.tenant_column:
        return wall.tenant_column, wall.owner_column
    return "tenant_id", model.owner_column if issubclass(model, TenantOwned) else None


def _wall(model: type) -> SharedWall | None:
    """What guards a shared model's table."""
    if issubclass(model, Model):
        for constraint in model._meta.constraints:
            if isinstance(constraint, SharedTable):
                return constraint.wall(model._meta.db_table)
    return None
