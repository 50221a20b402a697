"""What a :class:`~stele.client.client.Client` can do, one module per noun."""
