"""Bed, surface and thickness, as rasters give them."""
