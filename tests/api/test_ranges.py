"""Which part of a file is meant: one range of bytes, and the whole for all that is none."""

from __future__ import annotations

import pytest

from config.api.ranges import RangeNotSatisfiable, Wanted

SIZE, TAG = 1_000, '"a"'


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=0-0", range(1)),
        ("bytes=0-", range(SIZE)),
        ("bytes=10-19", range(10, 20)),
        ("bytes=999-", range(999, SIZE)),
        ("bytes=990-5000", range(990, SIZE)),
        ("Bytes=10-19", range(10, 20)),
        ("bytes=-1", range(999, SIZE)),
        ("bytes=-5000", range(SIZE)),
    ],
)
def test_one_range_is_that_part(asked: str, part: range) -> None:
    assert Wanted(asked).part(SIZE, TAG) == part
    assert Wanted(asked, TAG).part(SIZE, TAG) == part
    assert Wanted(asked, '"another"').part(SIZE, TAG) is None
    assert Wanted(asked, f"W/{TAG}").part(SIZE, TAG) is None


@pytest.mark.parametrize(
    "asked",
    [
        *("", "bytes", "bytes=", "bytes=-", "bytes=1", "bytes=a-b", "bytes=+1-2", "bytes=1 - 2"),
        *("bytes=2-1", "bytes=0-1,5-6", "rows=0-1", "bytes=١-٢", f"bytes={'9' * 5_000}-"),
    ],
)
def test_what_is_no_range_means_the_whole(asked: str) -> None:
    assert Wanted(asked).part(SIZE, TAG) is None


@pytest.mark.parametrize("asked", ["bytes=1000-", "bytes=5000-6000", "bytes=-0"])
def test_beyond_the_end_there_is_nothing_and_the_size_is_said(asked: str) -> None:
    with pytest.raises(RangeNotSatisfiable) as refused:
        Wanted(asked).part(SIZE, TAG)
    assert refused.value.headers == {"Content-Range": "bytes */1000"}
