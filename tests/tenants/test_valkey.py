"""What Valkey says of itself is believed for as long as it has run."""

from __future__ import annotations

from uuid import uuid4

from tenants import valkey
from tenants.valkey import MarkedScript


def test_a_mark_from_before_valkey_started_is_not_believed() -> None:
    """A server that has just started knows no script, whatever its file has brought back."""
    mark, client = f"test:{uuid4().hex}", valkey.client()
    is_marked = MarkedScript(f"return redis.call('EXISTS', KEYS[1]) -- {mark}")
    client.set(mark, 1)
    assert is_marked(keys=[mark], args=[]) == 0
    client.set(mark, 1)
    assert is_marked(keys=[mark], args=[]) == 1
    client.script_flush()
    assert is_marked(keys=[mark], args=[]) == 0
    client.delete(mark)


def test_a_mark_is_set_only_if_valkey_has_run_since_the_beginning() -> None:
    mark, client = f"test:{uuid4().hex}", valkey.client()
    is_marked = MarkedScript(f"return redis.call('EXISTS', KEYS[1]) -- {mark}")
    is_marked.mark(mark, begun=is_marked.begin())
    assert is_marked(keys=[mark], args=[]) == 1
    client.delete(mark)
    begun = is_marked.begin()
    client.script_flush()
    is_marked.begin()  # somebody else's, after the server has come back
    is_marked.mark(mark, begun=begun)
    assert client.exists(mark) == 0
