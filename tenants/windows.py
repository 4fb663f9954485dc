"""How often something has happened since the first time; a while after that it is forgotten."""

from __future__ import annotations

from dataclasses import dataclass

from tenants import valkey


@dataclass(frozen=True, slots=True)
class Count:
    """`times`, this one included, and seconds until it begins anew."""

    times: int
    ends_in: int

    @property
    def retry_after(self) -> dict[str, str]:
        """The header for who has to wait that long."""
        return {"Retry-After": str(max(1, self.ends_in))}


def count(*keys: str, seconds: int) -> list[Count]:
    """Once more for each key, all in one round trip. Raises ValkeyAway."""
    with valkey.needed() as client:
        pipeline = client.pipeline()
        for key in keys:
            pipeline.incr(key)
            pipeline.expire(key, seconds, nx=True)
            pipeline.ttl(key)
        answers = pipeline.execute()
    return [Count(times, left) for times, left in zip(answers[::3], answers[2::3], strict=True)]
