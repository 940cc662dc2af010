"""How a parsing is shown: colour composite, label picture, masks, kept evidence."""
