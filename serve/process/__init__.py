"""The server's processes: the supervisor, the proxy at the port, the port itself."""
