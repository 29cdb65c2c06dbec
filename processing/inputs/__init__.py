"""Inputs on their way to the engine."""
