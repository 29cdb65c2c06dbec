"""Emulators that are trained on the energy of the glacier at hand."""
