"""Radar echograms: formats, axes, layers."""
