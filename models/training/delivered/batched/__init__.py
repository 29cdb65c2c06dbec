"""Patches of a whole batch at once, and steps captured as one graph: minutes on a GPU."""
