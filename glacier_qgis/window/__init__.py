"""What the window of QGIS shows beside the toolbox."""
