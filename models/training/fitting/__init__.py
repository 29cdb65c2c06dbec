"""Training: optimiser, learning rate, epochs, resuming."""
