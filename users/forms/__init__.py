"""The forms of the pages about people."""
