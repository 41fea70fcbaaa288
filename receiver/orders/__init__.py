"""What an order is: its shape, its identity and the rules it must meet. Pure code, nothing here can fail outside."""
