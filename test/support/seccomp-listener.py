"""Listens at a Unix socket for descriptors of seccomp notifications, as the OCI specification has them sent.

usage: seccomp-listener.py SOCKET. Prints "ready", then for each container its state as a line of JSON, and answers its first
question with the errno ETXTBSY.
"""
import array
import fcntl
import os
import socket
import struct
import sys

RECV, SEND = 0xC0502100, 0xC0182101
ETXTBSY = 26

listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
listener.bind(sys.argv[1])
listener.listen(8)
print("ready", flush=True)
while True:
    connection, _ = listener.accept()
    text, control, _, _ = connection.recvmsg(65536, socket.CMSG_SPACE(4))
    (_, _, data), = control
    print(text.decode(), flush=True)
    descriptor, = array.array("i", data[:4])
    question = bytearray(80)
    fcntl.ioctl(descriptor, RECV, question)
    number, = struct.unpack("Q", question[:8])
    fcntl.ioctl(descriptor, SEND, struct.pack("QqiI", number, 0, -ETXTBSY, 0))
    os.close(descriptor)
    connection.close()
