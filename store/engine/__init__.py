"""Connections, transactions, locks, migrations, files: what the rest of the store stands on."""
