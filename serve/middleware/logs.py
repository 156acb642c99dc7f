"""Logs of a server: one JSON object a line, on standard error."""

import json
import logging
import time
from typing import Any

logger = logging.getLogger("serve")


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        data: dict[str, Any] = {
            "time": f"{at}.{record.msecs:03.0f}Z",
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "data", {}),
        }
        if record.exc_info:
            data["trace"] = self.formatException(record.exc_info)
        return json.dumps(data)


def set_up() -> None:
    """Write this project's records, and warnings of libraries, as JSON lines."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Formatter())
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    logger.setLevel(logging.INFO)
    if not logger.handlers:
        # A handler of its own: vLLM sets up the root in its own way.
        logger.addHandler(handler)
        logger.propagate = False


def log(event: str, **data: Any) -> None:
    """Record an event with its figures. Nothing that people wrote belongs here."""
    logger.info(event, extra={"data": data})
