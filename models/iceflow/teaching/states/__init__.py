"""Glaciers to teach on: where they lie, how they grow, and what the instructor says of them."""
