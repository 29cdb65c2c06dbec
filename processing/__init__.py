"""The toolbox: one file an algorithm, in a folder a group."""
