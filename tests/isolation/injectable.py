"""A view no one should write: the text of the request becomes SQL. It exists in the tests only."""

from __future__ import annotations

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.urls import path


def search(request: HttpRequest) -> JsonResponse:
    """Shows everything the statement gave, errors included: the attacker's dream."""
    text = request.GET["q"]
    statement = f"SELECT id::text, client_order_id FROM trading_order WHERE instrument = '{text}'"
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            rows = cursor.fetchall() if cursor.description else []
    except DatabaseError as fault:
        return JsonResponse({"error": str(fault)})
    return JsonResponse({"rows": rows}, json_dumps_params={"default": str})


urlpatterns = [path("search", search)]
