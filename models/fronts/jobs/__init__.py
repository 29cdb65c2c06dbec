"""The jobs of the toolbox' group of calving fronts."""
