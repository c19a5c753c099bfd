"""`python -m rxdx.healthcheck`: what `curl -f http://localhost:8000/health` would say, without curl.

A socket is enough, and is there in a few milliseconds; what understands all of HTTP takes ten times as long to load.
"""

import socket
import sys

try:
    with socket.create_connection(("127.0.0.1", 8000), timeout=8) as connection:
        connection.sendall(b"GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n")
        answer = connection.makefile("rb").read(4096)
except OSError as error:
    sys.exit(str(error))
status, _, rest = answer.partition(b"\r\n")
if status.split(b" ")[1:2] != [b"200"]:
    sys.exit(f"{status.decode(errors='replace')}: {rest.rpartition(b'\r\n')[2].decode(errors='replace')}")
