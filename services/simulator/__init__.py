"""A made-up country: its factories send what real ones would, and it says what the API must answer of them."""
