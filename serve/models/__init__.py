"""Which models a server offers, their files, and the check that adapters work."""
