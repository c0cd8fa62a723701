"""How Jejo is run: in production by containers, on one machine without them."""
