"""Text to plans: what is said, how long, with what melody."""
