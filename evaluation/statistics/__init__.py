"""Values with intervals, and comparisons of two models, all clustered by episode."""
