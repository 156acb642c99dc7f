"""The writers' room: a web page and an API in front of an OpenAI-compatible server."""

from nothing_gpt.lazy_app import lazy_app

__getattr__, __dir__ = lazy_app(__name__)
