"""Setting up the engine's environment; most of it needs nothing but Python."""
