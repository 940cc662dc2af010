"""Detection measured by protocol: pictures, attacks, benign changes and what is found of them."""
