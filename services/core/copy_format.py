"""PostgreSQL's binary COPY format, as far as columns of numbers need it.

The format is described in PostgreSQL's documentation of COPY, "Binary Format".
"""

HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER = b"\xff\xff"
