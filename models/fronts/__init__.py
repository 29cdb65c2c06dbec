"""Calving fronts: from a satellite scene to zones to terminus lines."""
