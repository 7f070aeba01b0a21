"""What is stored encrypted, and bringing all of it under another key.

columns   every such column of the installation; a test finds those that are missing
rotation  re-encrypting them beside a working installation, and reading them back
"""

from licensing.encryption.columns import EVERY, Sealed
from licensing.encryption.rotation import Reading, read_back, rotate

__all__ = ["EVERY", "Reading", "Sealed", "read_back", "rotate"]
