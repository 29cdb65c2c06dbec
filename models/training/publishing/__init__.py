"""Cards, packages and reports of trained networks."""
