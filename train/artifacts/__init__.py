"""The files of a finished run: adapter, manifest, history, report, parity reference."""
