"""What records are: who sent them, which of their rows are facts, and what they may bring."""
