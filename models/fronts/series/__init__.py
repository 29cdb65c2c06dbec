"""Time series: two passes over many scenes of one place."""
