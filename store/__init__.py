"""Everything that touches the database: tables, sessions, reads and writes."""
