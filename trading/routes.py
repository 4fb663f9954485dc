"""The API's routes of trading, in one table."""

from rest_framework.routers import SimpleRouter

router = SimpleRouter()
