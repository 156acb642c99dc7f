"""The model under the adapter: its access check, its loading, and the pocket base."""
