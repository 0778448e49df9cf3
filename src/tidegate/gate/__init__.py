"""Gate: who may come in, and when. Nobody places an order without a pass from here."""
