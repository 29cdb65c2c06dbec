"""Ice flow: emulators, mass conservation, mass balance, simulations."""
