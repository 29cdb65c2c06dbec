"""The protocol between plugin and engine: one job in, events out."""
