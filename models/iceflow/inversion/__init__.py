"""Ice thickness and sliding from the surface: what is not seen, from what is."""
