"""Emulators of the plugin's own kind: a network, and steps towards the balance of forces."""
