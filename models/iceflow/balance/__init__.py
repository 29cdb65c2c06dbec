"""Surface mass balance and what drives it."""
