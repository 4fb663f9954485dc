"""The API's description as it is served: the same for all, and so written once a process."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.http import HttpResponse
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class DescriptionView(SpectacularAPIView):
    """YAML, or JSON where that is asked for. Its paths begin where a tenant's prefix ends."""

    http_method_names = ["get", "head"]

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        renderer = request.accepted_renderer
        return HttpResponse(
            _written(renderer.media_type, self.urlconf),
            content_type=f"{renderer.media_type}; charset=utf-8",
            headers={"Content-Disposition": f'inline; filename="Bulkhead.{renderer.format}"'},
        )


@cache
def _written(media_type: str, urlconf: str | None) -> str | bytes:
    """Without a request, so that nobody's address stands in what others are given."""
    kinds: Any = DescriptionView.renderer_classes
    renderer: BaseRenderer = next(kind() for kind in kinds if kind.media_type == media_type)
    generator: Any = SchemaGenerator(urlconf=urlconf)  # type: ignore[no-untyped-call]  # no types
    return renderer.render(generator.get_schema(public=True), renderer_context={})
