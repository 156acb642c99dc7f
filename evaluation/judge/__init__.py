"""A model as a judge of pairs: only what it says in both orders counts."""
