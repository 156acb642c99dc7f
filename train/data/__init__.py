"""The examples that data_prep wrote, and their lengths in tokens."""
