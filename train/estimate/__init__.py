"""What a run takes on a GPU, by arithmetic: memory, hours, dollars."""
