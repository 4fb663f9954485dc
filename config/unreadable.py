"""What no request can be read from, refused as all else is: by a problem document.

For uvicorn, which asks for it by name (`config/embedded/web.py`) and says this much in plain text.
"""

from __future__ import annotations

import json

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from config.headers import HEADERS
from config.logs import id_for

_TITLE = "This is no HTTP request that can be read."
_HEADERS = {**HEADERS, "Content-Type": "application/problem+json", "Connection": "close"}


class Protocol(HttpToolsProtocol):
    def send_400_response(self, msg: str) -> None:
        name = id_for("")
        document = {"type": "/problems/unreadable", "title": _TITLE, "status": 400, "detail": msg}
        rest = {"code": "unreadable", "errors": [], "request_id": name}
        body = json.dumps({**document, **rest}).encode()
        headers = {**_HEADERS, "X-Request-ID": name, "Content-Length": str(len(body))}
        lines = ["HTTP/1.1 400 Bad Request", *(f"{key}: {value}" for key, value in headers.items())]
        self.transport.write("\r\n".join([*lines, "", ""]).encode() + body)
        self.transport.close()
