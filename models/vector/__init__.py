"""Vectors in and out: CRS rules, polygons as masks, lines, GeoPackage."""
