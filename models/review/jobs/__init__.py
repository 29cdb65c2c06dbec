"""The jobs of the toolbox' group of review."""
