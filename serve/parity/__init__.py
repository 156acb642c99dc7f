"""The comparison of both engines with training: the same token ids, and the same losses."""
