"""Files as GDAL opens them: from this machine only, checked first, damage called by its place."""
