"""Layers of echograms: what a network sees, and the lines in its probabilities."""
