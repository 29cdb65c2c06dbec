"""The group 'Calving fronts'."""
