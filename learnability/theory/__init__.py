"""The theory: predictions from a spectrum alone. One system of equations per module, `prediction` chooses among them."""
