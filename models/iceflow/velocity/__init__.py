"""How ice moves: emulators evaluated where there is ice, within their training."""
