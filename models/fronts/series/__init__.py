"""Many scenes of one place: two passes over them, and what each tells of the others."""
