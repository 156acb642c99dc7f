"""The component in which scripts become a new show."""
