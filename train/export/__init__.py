"""Export of adapters in forms that other engines load."""
