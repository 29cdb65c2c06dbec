"""Predicted fronts against traced ones."""
