"""The API's description as it is served: the same for all, and so written once a process."""

from __future__ import annotations

from functools import cache

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
            _written(type(renderer), self.urlconf),
            content_type=f"{renderer.media_type}; charset=utf-8",
            headers={"Content-Disposition": f'inline; filename="Bulkhead.{renderer.format}"'},
        )


@cache
def _written(renderer: type[BaseRenderer], urlconf: str | None) -> bytes:
    """Without a request, so that nobody's address stands in what others are given."""
    schema = SchemaGenerator(urlconf=urlconf).get_schema(public=True)
    content: bytes = renderer().render(schema, renderer_context={})
    return content
