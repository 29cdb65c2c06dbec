"""Physical models of ice flow for training emulators: shallow ice, hybrid, Blatter-Pattyn."""
