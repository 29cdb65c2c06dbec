"""Programs that tests start in the Python of another environment."""
