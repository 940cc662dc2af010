"""Re-ranking: which unusual requests to look at first, by what people confirmed and dismissed."""
