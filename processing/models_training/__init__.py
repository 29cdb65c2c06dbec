"""Algorithms that make models: data, training, packages."""
