# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
# bind, connect and accept over IPv4, IPv6 and unix sockets, a datagram, a connection refused.
import os, socket

PATH = os.path.expanduser("~/golden.sock")


def pair(family, address):
    server = socket.socket(family)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(address)
    server.listen()
    client = socket.socket(family)
    client.connect(server.getsockname())
    server.accept()


pair(socket.AF_INET, ("127.0.0.1", 4001))
pair(socket.AF_INET6, ("::1", 4002))
pair(socket.AF_UNIX, PATH)
os.unlink(PATH)
pair(socket.AF_UNIX, "\0golden-abstract")
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"datagram", ("127.0.0.1", 4003))
try:
    socket.create_connection(("127.0.0.1", 4004))
except ConnectionRefusedError:
    print("refused")
