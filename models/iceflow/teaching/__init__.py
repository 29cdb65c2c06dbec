"""An instructor teaches an emulator: states of glaciers, solutions, losses, training."""
