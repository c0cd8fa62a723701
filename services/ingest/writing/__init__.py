"""How a batch is written: what is new, what is compared first, and the transaction that commits it."""
