"""The bodies of requests to the local engine."""
