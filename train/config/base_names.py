"""Names of base models that the code itself refers to."""

POCKET_BASE = "pocket"
"""`--base pocket`: the small model built from the show's own scripts."""

REFERENCE_BASE = "meta-llama/Llama-3.2-3B-Instruct"
"""Hub id of the base that the reference tuned."""
