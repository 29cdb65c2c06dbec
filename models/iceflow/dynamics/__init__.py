"""How ice thickness changes: conservation of mass, transport, time steps."""
