"""From a radargram to an echogram: calibration, positions, checks, picks as lines, the track."""
