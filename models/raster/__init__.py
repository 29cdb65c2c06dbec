"""Rasters in and out: CRS rules, work grids, windowed warping, GeoTIFF."""
