"""Dead letters: what is kept of them, listed, counted, expired and replayed."""
