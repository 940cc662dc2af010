"""Goes through stored records again: what another rule, policy or model would have made of them."""
