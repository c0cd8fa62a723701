"""Runs a program for which files end at an offset: whatever writes beyond it gets ENOSPC, as on a full disk.

``python no_space.py OFFSET PROGRAM ARGUMENT...`` installs a seccomp filter, which needs no privileges, for the program
and its children; nothing but restarting the program ends it. It needs only the standard library, since the program's
user may be unable to read the repository.
"""

import ctypes
import errno
import os
import platform
import struct
import sys

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
ALLOW, ERROR = 0x7FFF0000, 0x00050000 | errno.ENOSPC
LOAD, EQUAL, AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
# pwrite64, pwritev, pwritev2, fallocate: the number of the call, and of the argument that is the offset.
CALLS = {
    "x86_64": ((18, 3), (296, 3), (328, 3), (285, 2)),
    "aarch64": ((68, 3), (70, 3), (287, 3), (47, 2)),
}


class Program(ctypes.Structure):
    """``struct sock_fprog`` of linux/filter.h."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def filter_of(offset: int) -> bytes:
    """Return the filter's instructions, as ``struct sock_filter`` of linux/filter.h."""
    code = [(LOAD, 0, 0, 0)]
    for number, argument in CALLS[platform.machine()]:
        code += [
            (EQUAL, 0, 4, number),
            (LOAD, 0, 0, 16 + 8 * argument),
            (AT_LEAST, 0, 1, offset),
            (RETURN, 0, 0, ERROR),
            (RETURN, 0, 0, ALLOW),
        ]
    code.append((RETURN, 0, 0, ALLOW))
    return b"".join(struct.pack("HBBI", *instruction) for instruction in code)


def main() -> None:
    """Install the filter, and become the program."""
    instructions = filter_of(int(sys.argv[1]))
    program = Program(len(instructions) // 8, instructions)
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in (
        (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
        (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0),
    ):
        if libc.prctl(*arguments) != 0:
            raise OSError(ctypes.get_errno(), "the filter cannot be installed")
    os.execv(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
