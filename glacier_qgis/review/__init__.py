"""The dock panel "Review": a queue of tasks over the map, edited with QGIS' own tools."""
