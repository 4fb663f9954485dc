"""Archives in a bucket that speaks S3: Amazon's, or one on machines of one's own.

A name appears when its upload is completed, and not before; what is larger than a part goes in
parts, of which one is held in memory. Every call has a limit of time and is tried again a few
times by the library; then it is an error with a code.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from backups.archive.streams import Sink, Source
from backups.storage import names
from backups.storage.errors import NotStored, StorageAway, StorageRefused, UnknownStorage

PART = 16 * 1024 * 1024  # bytes; of 10,000 parts that S3 takes, so an archive has up to 156 GiB
_CONNECT_SECONDS, _READ_SECONDS, _TRIES = 5, 30, 4
_MISSING = {"NoSuchKey", "NotFound", "404", "InvalidRange"}


class Bucket:
    """Names stand below the bucket's `prefix`, which is empty or ends with a slash."""

    def __init__(self, client: Any, bucket: str, prefix: str) -> None:
        self._client, self._bucket, self._prefix = client, bucket, prefix

    @contextmanager
    def writing(self, name: str) -> Iterator[Sink]:
        """Raises StorageAway, StorageRefused."""
        upload = _Upload(self._client, self._where(name))
        try:
            yield upload
            upload.finish()
        except BaseException:
            upload.abandon()
            raise

    @contextmanager
    def reading(self, name: str, *, start: int = 0) -> Iterator[Source]:
        """Raises NotStored, StorageAway, StorageRefused; also while it is read."""
        where = self._where(name)
        if start:
            where["Range"] = f"bytes={start}-"
        with _told():
            body = self._client.get_object(**where)["Body"]
        with contextlib.closing(body):
            yield _Download(body)

    def names(self, prefix: str) -> Iterator[str]:
        """Raises StorageAway, StorageRefused."""
        with _told():
            for found in self._listed("list_objects_v2", "Contents", prefix):
                yield found["Key"].removeprefix(self._prefix)

    def remove(self, name: str) -> None:
        """Raises StorageAway, StorageRefused."""
        with _told():
            self._client.delete_object(**self._where(name))

    def sweep(self, *, before: datetime) -> int:
        """Raises StorageAway, StorageRefused."""
        swept = 0
        with _told():
            for found in self._listed("list_multipart_uploads", "Uploads", ""):
                if found["Initiated"] < before:
                    where = {"Bucket": self._bucket, "Key": found["Key"]}
                    self._client.abort_multipart_upload(**where, UploadId=found["UploadId"])
                    swept += 1
        return swept

    def _listed(self, operation: str, what: str, prefix: str) -> Iterator[Any]:
        pages = self._client.get_paginator(operation)
        for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix + prefix):
            yield from page.get(what, ())

    def _where(self, name: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": self._prefix + names.checked(name)}


@dataclass(frozen=True, slots=True)
class _Download:
    body: Any

    def read(self, size: int, /) -> bytes:
        """Raises StorageAway, also for what ends before its length."""
        with _told():
            return bytes(self.body.read(size))


class _Upload:
    """Of one name: at once if it is small, in parts otherwise."""

    def __init__(self, client: Any, where: dict[str, str]) -> None:
        self._client, self._where = client, where
        self._waiting = bytearray()  # less than a part between two calls
        self._begun = ""  # the upload's id, once there is one
        self._parts: list[dict[str, Any]] = []

    def write(self, data: bytes, /) -> int:
        given = memoryview(data)
        for start in range(0, len(given), PART):
            self._waiting += given[start : start + PART]
            if len(self._waiting) >= PART:
                self._send(bytes(self._waiting[:PART]))
                del self._waiting[:PART]
        return len(given)

    def finish(self) -> None:
        """The name is there when this returns."""
        if not self._begun:
            with _told():
                self._client.put_object(**self._where, Body=bytes(self._waiting))
            return
        if self._waiting:
            self._send(bytes(self._waiting))
        with _told():
            self._client.complete_multipart_upload(
                **self._where, UploadId=self._begun, MultipartUpload={"Parts": self._parts}
            )

    def abandon(self) -> None:
        """Take the parts away; what cannot be reached now is swept later."""
        if self._begun:
            with contextlib.suppress(ClientError, BotoCoreError):
                self._client.abort_multipart_upload(**self._where, UploadId=self._begun)

    def _send(self, piece: bytes) -> None:
        with _told():
            if not self._begun:
                self._begun = self._client.create_multipart_upload(**self._where)["UploadId"]
            number = len(self._parts) + 1
            sent = self._client.upload_part(
                **self._where, UploadId=self._begun, PartNumber=number, Body=piece
            )
            self._parts.append({"PartNumber": number, "ETag": sent["ETag"]})


@lru_cache(maxsize=8)
def bucket(url: str, login: str) -> Bucket:
    """Of `s3://bucket/a/prefix?endpoint=https://…&region=…`, and a log-in `id:secret`.

    Without an endpoint it is Amazon's; without a log-in the machine's own is used, as the library
    finds it. Raises UnknownStorage.
    """
    parts = urlsplit(url)
    asked = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    key_id, _, secret = login.partition(":")
    if not parts.netloc or set(asked) - {"endpoint", "region"} or bool(key_id) != bool(secret):
        raise UnknownStorage("It is no s3://bucket/prefix?endpoint=…&region=… with id:secret.")
    client = boto3.session.Session().client(
        "s3",
        endpoint_url=asked.get("endpoint"),
        region_name=asked.get("region"),
        aws_access_key_id=key_id or None,
        aws_secret_access_key=secret or None,
        config=_config(has_endpoint="endpoint" in asked),
    )
    prefix = parts.path.strip("/")
    return Bucket(client, parts.netloc, f"{prefix}/" if prefix else "")


def _config(*, has_endpoint: bool) -> Config:
    """Checksums of Amazon's own are left out where they may be: others do not know all of them."""
    return Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": _TRIES},
        s3={"addressing_style": "path" if has_endpoint else "auto"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )


@contextmanager
def _told() -> Iterator[None]:
    """What the library says, as errors of ours."""
    try:
        yield
    except ClientError as fault:
        code = str(fault.response.get("Error", {}).get("Code", ""))
        status = int(fault.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        if code in _MISSING:
            raise NotStored from fault
        if 400 <= status < 500 and status != 429:
            raise StorageRefused(f"It says {code}.") from fault
        raise StorageAway(f"It says {code}.") from fault
    except NoCredentialsError as fault:
        raise StorageRefused("There is no log-in for it: set BACKUP_STORAGE_LOGIN.") from fault
    except BotoCoreError as fault:
        raise StorageAway(f"{type(fault).__name__}.") from fault
