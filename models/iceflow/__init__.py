"""Ice flow: emulators, mass conservation, surface mass balance, simulations."""
