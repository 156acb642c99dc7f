"""Requests in front of the engines: their paths, their bodies, and limits on both."""
