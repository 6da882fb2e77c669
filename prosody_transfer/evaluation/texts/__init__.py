"""How well texts are spoken: `ptx evaluate --texts`."""
