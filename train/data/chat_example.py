"""The form of one example."""

ChatExample = dict[str, list[dict[str, str]]]
"""`prompt` and `completion`, each a list of chat messages."""
