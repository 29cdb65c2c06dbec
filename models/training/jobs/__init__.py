"""The jobs of the toolbox' group of models and training."""
