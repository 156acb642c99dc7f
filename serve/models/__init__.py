"""The served models: which ones, their files, and the check that adapters work."""
