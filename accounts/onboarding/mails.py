"""The mail that says that a tenant is ready."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.template.loader import render_to_string

from accounts import mailing
from accounts.access.models import Membership


def send_welcome(membership_id: UUID) -> None:
    """Raises OSError when mail does not go out."""
    rows = Membership.objects.filter(pk=membership_id, is_active=True).select_related("tenant")
    membership = rows.first()
    if membership is None:
        return
    slug = membership.tenant.slug
    about = {"tenant": slug, "link": f"{settings.BULKHEAD_ORIGIN}/t/{slug}"}
    text = render_to_string("accounts/welcome.txt", about)
    mailing.send(f"{slug} is ready on Bulkhead", text, to=membership.email)
