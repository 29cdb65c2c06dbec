"""The jobs of the toolbox' group of ice flow."""
