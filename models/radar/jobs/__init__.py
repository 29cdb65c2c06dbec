"""The jobs of the group "Radar layers"."""
