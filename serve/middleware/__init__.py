"""ASGI middleware in front of both engines: keys, limits, errors, logs."""
