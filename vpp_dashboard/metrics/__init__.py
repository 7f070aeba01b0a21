"""What Prometheus reads at /metrics: asked of the database and of Redis when it is asked for.

No process counts for itself, so any web process answers for the whole installation. Organizations and
accounts are named by their ids: neither names nor addresses leave here.
"""
