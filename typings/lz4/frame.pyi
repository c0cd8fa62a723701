import io
from typing import BinaryIO

class LZ4FrameFile(io.BufferedIOBase):
    def __init__(self, filename: BinaryIO) -> None: ...

def compress(data: bytes, *, store_size: bool = True, block_linked: bool = True) -> bytes: ...
