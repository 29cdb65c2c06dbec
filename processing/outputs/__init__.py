"""Outputs on their way from the engine to files, layers and the map."""
