"""A scene before the network: its name, date, sensor and values."""
