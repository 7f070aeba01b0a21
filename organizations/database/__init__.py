"""Django's PostgreSQL, telling the server in which organization each statement works."""
