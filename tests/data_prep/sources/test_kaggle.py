"""kagglehub itself against a Kaggle of our own on the port where its test mode looks for one."""

import io
import json
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from nothing_gpt.show import SHOWS
from tests.data_prep.samples import COLUMNS, TABLE_SHOW, talk, write_csv

Answer = Callable[[str], tuple[int, str, bytes]]


@contextmanager
def kaggle(answer: Answer) -> Iterator[None]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, kind, body = answer(self.path)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    try:
        server = ThreadingHTTPServer(("127.0.0.1", 7777), Handler)
    except OSError as error:
        pytest.skip(f"port 7777, where kagglehub's test mode looks, is not free: {error}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def data_prep(home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    show = home / "show.toml"
    show.write_text(TABLE_SHOW.replace('"tables"', '"kaggle:somebody/pier"'), encoding="utf-8")
    out = home / "out"
    command = ["--show", str(show), "--out", str(out), "--tokenizer", "none"]
    kept = {name: value for name, value in os.environ.items() if "KAGGLE" not in name}
    return subprocess.run(
        [sys.executable, "-m", "data_prep", *command],
        cwd=SHOWS.parent,
        env={**kept, "HOME": str(home), "KAGGLE_API_ENVIRONMENT": "TEST", **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (401, "Kaggle refused access (401); make a token at https://www.kaggle.com/settings"),
        (403, "Kaggle refused access (403); make a token at https://www.kaggle.com/settings"),
        (404, "Kaggle has none of that name"),
        (500, "Kaggle answered 500; try again later"),
    ],
)
def test_a_refusal_is_explained(tmp_path: Path, status: int, message: str) -> None:
    with kaggle(lambda _: (status, "application/json", b"{}")):
        run = data_prep(tmp_path)
    assert run.returncode == 1
    assert f"error: Kaggle data set somebody/pier: {message}" in run.stderr
    assert "name it with --source" in run.stderr
    assert "Traceback" not in run.stderr
    assert not (tmp_path / "out").exists()


def test_no_network_is_explained(tmp_path: Path) -> None:
    run = data_prep(
        tmp_path, KAGGLE_API_ENVIRONMENT="PROD", https_proxy="http://127.0.0.1:9", no_proxy=""
    )
    assert run.returncode == 1
    assert "somebody/pier: it cannot be downloaded (ProxyError); check the network" in run.stderr
    assert "https://www.kaggle.com/datasets/somebody/pier and name it with --source" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_credentials_file_that_cannot_be_read_is_explained(tmp_path: Path) -> None:
    (tmp_path / ".kaggle").mkdir()
    (tmp_path / ".kaggle" / "kaggle.json").write_text("{")
    run = data_prep(tmp_path)
    assert run.returncode == 1
    assert "kagglehub says: Invalid Kaggle credentials file" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_download_becomes_examples_and_is_not_asked_for_again(tmp_path: Path) -> None:
    rows = [row for name in ("E1", "E2") for row in talk(name, 10)]
    table = write_csv(tmp_path / "lines.csv", COLUMNS, rows)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.write(table, "lines.csv")

    def answer(path: str) -> tuple[int, str, bytes]:
        if path.endswith("GetDataset"):
            return 200, "application/json", json.dumps({"currentVersionNumber": 3}).encode()
        return 200, "application/zip", archive.getvalue()

    with kaggle(answer):
        first = data_prep(tmp_path)
    assert first.returncode == 0, first.stderr
    assert "4 training and 4 validation examples" in first.stdout
    assert "no episode titles" in first.stdout
    again = data_prep(tmp_path)  # nobody answers any more
    assert again.returncode == 0, again.stderr
    assert "nothing has changed" in again.stdout
