"""How fast decisions are looked up, and how soon they hold."""
