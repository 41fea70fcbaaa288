"""What waits to leave: its states, its legal moves and when it is tried again. Pure, without a database."""
