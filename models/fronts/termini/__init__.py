"""From zones to terminus lines, with their uncertainty."""
