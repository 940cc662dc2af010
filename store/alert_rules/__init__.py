"""Alert rules: one module for one condition that people are told about, with all they are told."""
