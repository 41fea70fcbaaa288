"""Call the OrderService of Norce Commerce Connect: report what became of an order."""

__all__: list[str] = []
