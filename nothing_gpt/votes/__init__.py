"""Votes: which texts people prefer, in one format for all that makes or reads them."""
