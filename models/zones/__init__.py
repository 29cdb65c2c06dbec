"""The classes of a zones raster: codes, colours and names."""
