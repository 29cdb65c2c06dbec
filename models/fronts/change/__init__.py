"""Positions of fronts through time, measured against a reference."""
