"""What attacks raise, held against what the picture and its parse explain."""
