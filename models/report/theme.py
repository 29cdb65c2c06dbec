"""The colours of reports."""

BLUE, ORANGE, GREY = "#1f5a94", "#d1661f", "#8a8f94"
LINES = (BLUE, ORANGE, "#5b8c3e", "#8a4fa0", "#b22a4f", "#3a9ca6", "#7a6a3a", "#555555")
"""Of the lines of a figure; after the last comes the first again."""
