"""Adapters written in forms that other engines load."""
