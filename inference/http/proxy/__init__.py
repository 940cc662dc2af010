"""The web edge of a proxy: doors for pictures are gated, everything else passes."""
