"""Simulated echograms with known layers."""
