"""Compare the engines with training: `python -m serve.parity --show unclaimed`."""

from nothing_gpt.errors import reported_errors
from serve.parity.comparison import app

if __name__ == "__main__":
    with reported_errors():
        app()
