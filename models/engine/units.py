"""Units that more than one domain counts in."""

DAYS_A_YEAR = 365.2422
"""Of the mean tropical year, as UDUNITS and the CF conventions have it."""
SQUARE_KILOMETRE, CUBIC_KILOMETRE = 1e6, 1e9
"""m² and m³."""
