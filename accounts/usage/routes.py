"""The API's route of a tenant's use."""

from django.urls import path

from accounts.usage.api import UsageView

urlpatterns = [path("usage/", UsageView.as_view(), name="usage")]
