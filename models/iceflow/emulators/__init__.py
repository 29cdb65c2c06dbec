"""Families of ice-flow emulators behind one interface."""
