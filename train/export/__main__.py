"""Export a trained adapter: `python -m train.export --show unclaimed --to merged`."""

from nothing_gpt.errors import reported_errors
from train.export.exporter import app

if __name__ == "__main__":
    with reported_errors():
        app()
