"""The review GeoPackage: its tables, and what stands in them."""
