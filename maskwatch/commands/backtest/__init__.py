"""The command ``maskwatch backtest``."""
