"""Operations: what looks at all services at once, from outside, and needs none of them to be running."""
