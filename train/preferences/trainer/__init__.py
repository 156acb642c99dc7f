"""Trainers of preferences: TRL's, and DPO by the fast path."""
