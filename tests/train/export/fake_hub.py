"""A model hub on loopback, with as much of the hub's protocol as an upload needs."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

TOKEN = "hf_good"  # noqa: S105 - of the fake


@dataclass
class FakeHub:
    """What a hub has received.

    Attributes:
        address: Its URL.
        created: The bodies of requests for a repository.
        files: The files of commits, by path.
        large: The contents of large files, by SHA-256.
    """

    address: str = ""
    created: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    large: dict[str, bytes] = field(default_factory=dict)

    def answer(self, method: str, path: str, body: bytes) -> Any:
        """Answer a request of somebody who may write; None is an unknown route."""
        if path == "/api/repos/create":
            self.created.append(json.loads(body))
            return {"url": f"{self.address}/{self.created[-1]['organization']}/scenes"}
        if path == "/api/validate-yaml":
            return {"errors": [], "warnings": []}
        if "/preupload/" in path:
            return {"files": [_choose_mode(each) for each in json.loads(body)["files"]]}
        if path.endswith("/info/lfs/objects/batch"):
            return {
                "transfer": "basic",
                "objects": [*map(self._invite, json.loads(body)["objects"])],
            }
        if method == "PUT":
            self.large[path.rpartition("/")[2]] = body
            return {}
        if "/commit/" in path:
            for line in map(json.loads, body.splitlines()):
                value = line["value"]
                if line["key"] == "file":
                    self.files[value["path"]] = base64.b64decode(value["content"])
                if line["key"] == "lfsFile":
                    self.files[value["path"]] = self.large[value["oid"]]
            return {"commitUrl": f"{self.address}/me/scenes/commit/1", "commitOid": "1"}
        return None

    def _invite(self, wanted: dict[str, Any]) -> dict[str, Any]:
        upload = {"href": f"{self.address}/large/{wanted['oid']}", "header": {}}
        return wanted | {"actions": {"upload": upload}}


@contextmanager
def running_hub() -> Iterator[FakeHub]:
    """Run a hub within a `with` block."""
    hub = FakeHub()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self._read_body()
            # Large files are sent to an address that carries its own permission.
            if self.command != "PUT" and self.headers["Authorization"] != f"Bearer {TOKEN}":
                self._send(401, {"error": "Invalid credentials"})
                return
            found = hub.answer(self.command, self.path.partition("?")[0], body)
            self._send(404 if found is None else 200, found)

        do_GET = do_PUT = do_POST  # noqa: N815 - the library's names

        def log_message(self, *_: Any) -> None:
            pass

        def _read_body(self) -> bytes:
            if self.headers["Transfer-Encoding"] != "chunked":
                return self.rfile.read(int(self.headers["Content-Length"] or 0))
            body = b""
            while length := int(self.rfile.readline(), 16):
                body += self.rfile.read(length)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def _send(self, status: int, data: Any) -> None:
            body = json.dumps(data).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.address = f"http://127.0.0.1:{server.server_port}"
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


def _choose_mode(file: dict[str, Any]) -> dict[str, Any]:
    large = file["path"].endswith((".safetensors", ".gguf"))
    mode = "lfs" if large else "regular"
    return {"path": file["path"], "uploadMode": mode, "shouldIgnore": False}
