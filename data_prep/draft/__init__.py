"""Drafts of show files, made from scripts alone."""
