"""The toolbox: one file per algorithm, in one folder per group."""
