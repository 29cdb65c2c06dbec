"""Training data and training of networks for layers in echograms."""
