"""From corrected fronts to a better model: labels, training, the test that decides."""
