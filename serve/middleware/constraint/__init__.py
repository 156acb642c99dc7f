"""Constraints on a completion: their bounds, their grammars, and a trial of each one aside."""
