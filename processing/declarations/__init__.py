"""What algorithms say of themselves: titles, help, parameters, pages of the dialog."""
