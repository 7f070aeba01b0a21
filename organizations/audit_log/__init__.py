"""Around the audit log: refused attempts, how long it is kept, and its events for programs."""
