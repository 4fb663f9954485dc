"""The OpenAPI document: every operation also answers with problem documents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers

from config.api.errors import DomainError

_V = TypeVar("_V", bound=Callable[..., Any])


class ProblemOut(serializers.Serializer[Any]):
    """RFC 9457, with a stable `code` and the request's id."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField()
    # The metaclass takes it out of the class, which keeps the base's property.
    errors = serializers.ListField(child=serializers.DictField())  # type: ignore[assignment]
    request_id = serializers.CharField()


ALWAYS = ("400", "401", "403", "404", "405", "406", "429", "503")
WRITING = ("409", "413", "415", "422")
MATCHING = ("412",)  # where `If-Match` is taken


def refused_with(*errors: type[DomainError]) -> Callable[[_V], _V]:
    """What a question can be refused with, besides what every operation can."""

    def declared(view: _V) -> _V:
        view.refused_with = errors  # type: ignore[attr-defined]  # read by the schema below
        return view

    return declared


class ProblemSchema(AutoSchema):
    """Adds the problem responses that an operation of its kind can give."""

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        bodies = super()._get_response_bodies(direction)
        problem = self._get_response_for_code(  # type: ignore[no-untyped-call]  # it has no types
            OpenApiResponse(ProblemOut, description="Problem"),
            "400",
            media_types=["application/problem+json"],
        )
        return {**dict.fromkeys(self._problem_statuses(), problem), **bodies}

    def _problem_statuses(self) -> list[str]:
        writes = self.method not in ("GET", "HEAD")
        named = {getattr(parameter, "name", "") for parameter in self.get_override_parameters()}
        matches = "If-Match" in named
        own = {str(error.status) for error in self._declared()}
        return sorted({*ALWAYS, *(WRITING if writes else ()), *(MATCHING if matches else ()), *own})

    def _declared(self) -> tuple[type[DomainError], ...]:
        handler = getattr(self.view, getattr(self.view, "action", None) or self.method.lower())
        return getattr(handler, "refused_with", ())

    def _get_serializer_field_meta(self, field: Any, direction: Any) -> Any:
        """Any JSON is null too; to say so twice makes null the one value that fits neither."""
        # The package's method has no types.
        meta = super()._get_serializer_field_meta(field, direction)  # type: ignore[no-untyped-call]
        if isinstance(field, serializers.JSONField):
            meta.pop("nullable", None)
        return meta
