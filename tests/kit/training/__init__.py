"""Data sets and networks that are small; in the engine's Python."""
