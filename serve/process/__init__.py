"""The server's processes: the port, the proxy, the engine's process and its supervisor."""
