"""Exit code 0 when the web process in this container is ready to serve.

Asks under the public name, because any other is refused as a foreign host.
"""

import http.client
import os
import sys
from urllib.parse import urlsplit

connection = http.client.HTTPConnection("127.0.0.1", 8000, timeout=5)
host = urlsplit(os.environ.get("BASE_URL", "http://127.0.0.1:8000")).netloc
connection.request("GET", "/health/ready", headers={"Host": host})
sys.exit(connection.getresponse().status != 200)
