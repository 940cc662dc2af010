"""Alert rules: one module for one condition that people are told about."""
