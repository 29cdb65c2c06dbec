"""Physical models of ice flow that teach emulators: shallow ice, hybrid and Blatter-Pattyn."""
