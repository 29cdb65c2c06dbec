"""The toolbox' group of review."""
