"""The lists on the organization's own pages."""
