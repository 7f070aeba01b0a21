"""Administrators: who is invited, what they may do, and how they leave."""
