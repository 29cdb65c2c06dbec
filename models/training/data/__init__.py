"""Training data sets: files, card, samples, parts."""
