"""From a scene to zones: the choice of a model, tiles, prediction."""
