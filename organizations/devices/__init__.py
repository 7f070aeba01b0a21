"""The inventory of devices: what is said of them and by whom, and what is done to them."""
