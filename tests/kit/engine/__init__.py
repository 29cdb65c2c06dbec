"""Jobs, run in the process of the tests or in an engine beside it; in the engine's Python."""
