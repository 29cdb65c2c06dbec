"""One job in, events out: the side of the wall that faces QGIS."""
