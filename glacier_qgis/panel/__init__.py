"""Dock panels, and what they are built from: overlays, runs in the background, lists to step."""
