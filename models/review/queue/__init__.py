"""The queue: which scenes a person looks at, and in which order."""
