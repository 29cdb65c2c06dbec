"""Ground, ice and climates of which the answer is known; in the engine's Python."""
