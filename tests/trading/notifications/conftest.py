"""A channel layer for each test: its locks and connections belong to one event loop."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from channels.layers import channel_layers, get_channel_layer


@pytest.fixture(autouse=True)
async def _channel_layer() -> AsyncIterator[None]:
    channel_layers.backends.clear()
    yield
    await get_channel_layer().close_pools()
