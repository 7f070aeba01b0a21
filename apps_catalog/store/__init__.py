"""Searches in the public store of a country, asked by pages and answered by a worker."""
