"""A review that a team shares in PostGIS: the tables of its GeoPackage, there and back."""
