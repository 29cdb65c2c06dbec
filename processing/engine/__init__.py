"""The group 'Engine'."""
