"""A server that speaks S3, and ways for it to fail: connections that are cut, or never answered."""

from __future__ import annotations

import contextlib
import json
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import uuid4

import boto3
from botocore.exceptions import BotoCoreError, ClientError

LOGIN = "test-id:test-secret"
_HOST = "127.0.0.1"
_START_SECONDS = 60
_TRIES = 5
_WEED = str(Path(sys.executable).with_name("weed"))
# Each part of it listens somewhere; these have no use here but must not meet anybody else's.
_PARTS = ("master", "volume", "filer", "admin")
_PORTS = [f"{part}.{kind}" for part in _PARTS for kind in ("port", "port.grpc")] + ["s3.port.grpc"]
_QUIETLY = (
    "-master.telemetry=false",
    f"-ip={_HOST}",
    f"-ip.bind={_HOST}",
    "-s3.autoCreateBucket=false",
    "-s3.port.iceberg=0",
    "-metricsPort=0",
    "-webdav=false",
    "-admin.ui=false",
)
_IDENTITY = {
    "name": "test",
    "credentials": [dict(zip(("accessKey", "secretKey"), LOGIN.split(":"), strict=True))],
    "actions": ["Admin", "Read", "Write", "List"],
}


@contextlib.contextmanager
def speaking_s3(folder: Path) -> Iterator[int]:
    """A SeaweedFS of one process, on this machine alone, which tells nobody of itself; gives the
    port at which it speaks S3."""
    config = folder / "s3.json"
    config.write_text(json.dumps({"identities": [_IDENTITY]}))
    log = folder / "log"
    for _ in range(_TRIES):
        process, door = _start(folder, config, log)
        try:
            if _speaks(door, process):
                yield door
                return
        finally:
            process.kill()  # it takes its time to end, and nobody wants its data
            process.wait(timeout=15)
    raise AssertionError(f"the server that speaks S3 ended:\n{log.read_text()[-2000:]}")


def _start(folder: Path, config: Path, log: Path) -> tuple[subprocess.Popen[bytes], int]:
    """One at ports that were free a moment ago: it ends when another program has come first."""
    door, *others = _free_ports(1 + len(_PORTS))
    said = [f"-{name}={port}" for name, port in zip(_PORTS, others, strict=True)]
    command = [_WEED, "mini", *_QUIETLY, *said, f"-s3.port={door}"]
    command += [f"-dir={folder}", f"-s3.config={config}"]
    with log.open("wb") as output:
        return subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT), door


def make_bucket(port: int) -> str:
    """A new one; gives its name."""
    name = f"b{uuid4().hex}"
    client = _client(port)
    client.create_bucket(Bucket=name)
    client.close()
    return name


def url(port: int, bucket: str, prefix: str = "kept") -> str:
    """As BACKUP_STORAGE names it."""
    return f"s3://{bucket}/{prefix}?endpoint=http://{_HOST}:{port}&region=us-east-1"


@dataclass
class Cutting:
    """A way to a server that ends in the middle: of all that is sent there, or that comes back,
    so many bytes pass; then every connection is cut, also those that come."""

    upstream: int
    sends: float = float("inf")
    gives: float = float("inf")
    port: int = 0
    _threads: list[Thread] = field(default_factory=list)

    def __enter__(self) -> Cutting:
        self._door = socket.create_server((_HOST, self.port))
        self.port = self._door.getsockname()[1]
        self._begin(self._listen)
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()
        self.sends = self.gives = 0
        for thread in self._threads:
            thread.join(10)

    def _begin(self, work: object, *arguments: object) -> None:
        self._threads.append(Thread(target=work, args=arguments, daemon=True))
        self._threads[-1].start()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._door.accept()
                self._begin(self._pass, client)

    def _pass(self, client: socket.socket) -> None:
        with (
            client,
            socket.create_connection((_HOST, self.upstream)) as server,
            contextlib.suppress(ConnectionError),
        ):
            while self.sends > 0 and self.gives > 0:
                for ready in select.select([client, server], [], [], 0.1)[0]:
                    content = ready.recv(65_536)
                    if not content:
                        return
                    self._hand_on(content, server if ready is client else client, ready is client)

    def _hand_on(self, content: bytes, to: socket.socket, is_sent: bool) -> None:
        if is_sent:
            self.sends -= len(content)
            to.sendall(content)
        else:
            passes = content[: int(min(self.gives, len(content)))]
            self.gives -= len(content)
            to.sendall(passes)


@contextlib.contextmanager
def silent() -> Iterator[int]:
    """The port of something that takes connections and never says a word."""
    with socket.create_server((_HOST, 0), backlog=64) as door:
        yield door.getsockname()[1]


def nobody() -> int:
    """A port that nobody listens at."""
    return _free_ports(1)[0]


def _speaks(port: int, process: subprocess.Popen[bytes]) -> bool:
    """Waits for it; False when it has ended."""
    end = time.monotonic() + _START_SECONDS
    client = _client(port)
    while time.monotonic() < end:
        if process.poll() is not None:
            return False
        with contextlib.suppress(ClientError, BotoCoreError):
            client.list_buckets()
            client.close()
            return True
        time.sleep(0.1)
    raise AssertionError("the server that speaks S3 did not start")


def _client(port: int) -> Any:
    key_id, secret = LOGIN.split(":")
    return boto3.session.Session().client(
        "s3",
        endpoint_url=f"http://{_HOST}:{port}",
        region_name="us-east-1",
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
    )


def _free_ports(count: int) -> list[int]:
    """All of them at once, so that none is given twice."""
    with contextlib.ExitStack() as held:
        probes = [held.enter_context(socket.create_server((_HOST, 0))) for _ in range(count)]
        return [int(probe.getsockname()[1]) for probe in probes]
