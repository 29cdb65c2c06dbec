"""Fronts and scenes of which the answer is known; in the engine's Python."""
