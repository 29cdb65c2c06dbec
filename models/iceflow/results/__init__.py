"""What is kept of a simulation: files, series, comparison, report."""
