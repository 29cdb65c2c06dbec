"""Echograms as GeoTIFFs in a local system, their axes, and layers as lines in them."""
