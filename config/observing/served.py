"""A worker's own `/metrics`, for where its folder is not the web's: `METRICS_PORT`."""

from __future__ import annotations

from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from celery.signals import worker_ready
from django.conf import settings
from prometheus_client import CONTENT_TYPE_LATEST

from config.observing import exposition, readers


@worker_ready.connect
def serve(**_: object) -> None:
    """Once the pool is there: children would inherit the socket."""
    if settings.METRICS_PORT:
        server = ThreadingHTTPServer(("", settings.METRICS_PORT), _Handler)
        Thread(target=server.serve_forever, name="metrics", daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    """What was counted here; what is measured, the web tells."""

    timeout = 5.0  # seconds for a request to come in

    def do_GET(self) -> None:
        is_reader = readers.is_reader(self.headers.get("Authorization", ""))
        if self.path != readers.PATH or not is_reader:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        told = exposition.counted()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", CONTENT_TYPE_LATEST)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own
        """A scraper comes every few seconds."""
