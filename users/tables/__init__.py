"""The lists of people, as pages show them and CSV files hold them."""
