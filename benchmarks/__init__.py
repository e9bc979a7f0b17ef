"""How fast the product is, beside the floors that nothing built on the same ground can pass."""
