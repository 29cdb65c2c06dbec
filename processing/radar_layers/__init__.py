"""The group "Radar layers"."""
