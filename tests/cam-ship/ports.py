#!/usr/bin/python3
"""Prints free ports of loopback, which stay free as long as a path exists. usage: ports.py PATH [COUNT]

Between bind(2) and a server's start, and while a server is down, anybody else could be given its port, as a server or for
a connection. A process that stays behind has them bound, with SO_REUSEADDR and without listen(2): then a server that
asks for one by its number gets it, nobody gets it by chance, and a connection to it is refused while none is there."""
import os
import socket
import sys
import time


def bound():
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", 0))
    return s


def main():
    path, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1
    sockets = [bound() for _ in range(count)]
    print(*[s.getsockname()[1] for s in sockets], flush=True)
    if os.fork():
        return
    # nothing of who asked stays open here
    kept = {s.fileno() for s in sockets}
    for fd in map(int, os.listdir("/proc/self/fd")):
        if fd not in kept:
            try:
                os.close(fd)
            except OSError:
                pass  # that of the listing itself
    while os.path.exists(path):
        time.sleep(1)


main()
