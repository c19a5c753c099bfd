"""One module per version, applied in the order of their names; each has `upgrade` and `downgrade`."""
