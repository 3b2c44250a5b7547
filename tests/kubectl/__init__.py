"""kubectl against the embedded cluster."""
