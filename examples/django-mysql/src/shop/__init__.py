"""A small shop: users, products and orders."""
