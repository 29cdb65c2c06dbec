"""What becomes of a run's files: looks and metadata beside them, names, groups and time."""
