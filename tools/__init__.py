"""What `./dev` does: the environment, the servers, the demo, the checks. Standard library only."""
