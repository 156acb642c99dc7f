"""The server's log: one JSON object a line, on standard error."""

import json
import logging
import time
from typing import Any

logger = logging.getLogger("serve")


class _JsonFormatter(logging.Formatter):
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


def configure_logging() -> None:
    """Write this project's records and the libraries' warnings as JSON lines."""
    handler = logging.StreamHandler()
    handler.setFormatter(_JsonFormatter())
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    logger.setLevel(logging.INFO)
    if not logger.handlers:
        # vLLM configures the root logger in its own way, so this logger has its own handler.
        logger.addHandler(handler)
        logger.propagate = False


def log_event(event: str, **data: Any) -> None:
    """Log an event and its figures. `data` must not contain user text."""
    logger.info(event, extra={"data": data})
