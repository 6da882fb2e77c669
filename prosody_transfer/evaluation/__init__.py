"""How good a transfer is, and what of the source speaker shines through: the measuring stick."""
