"""The model under the adapter: found, checked, loaded; the pocket base built."""
