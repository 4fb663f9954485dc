"""Pages for who has nothing but a mail: they say what it is about, and hand it to the API.

A page is the same for everybody. What the mail holds is in the link's fragment, which the browser
keeps to itself, and the page's script posts it.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


def page(template: str) -> Callable[[HttpRequest], HttpResponse]:
    """The view of one page."""

    @require_safe
    def view(request: HttpRequest) -> HttpResponse:
        return render(request, template)

    return view
