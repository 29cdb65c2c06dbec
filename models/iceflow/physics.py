"""Physical constants of ice."""

ICE_DENSITY = 910.0
"""ρ in kg m⁻³, as in the Instructed Glacier Model."""
GRAVITY = 9.81
"""g in m s⁻²."""
WEIGHT = ICE_DENSITY * GRAVITY * 1e-6
"""ρg in MPa m⁻¹."""
GLEN = 3
"""Exponent n of Glen's flow law, ε̇ = A τⁿ."""
WEERTMAN = 3
"""Exponent m of the sliding law, u_b = c τ_bᵐ."""
KILOMETRE = 1000.0
"""m, in the unit of sliding coefficients."""
