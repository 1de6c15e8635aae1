"""Listens at argv[1], takes one terminal's master as console sockets deliver it, types argv[2], prints what the terminal says."""
import array, os, socket, sys

listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
listener.bind(sys.argv[1])
listener.listen(1)
print("listening", flush=True)
connection, _ = listener.accept()
descriptors = array.array("i")
_, control, _, _ = connection.recvmsg(4096, socket.CMSG_SPACE(descriptors.itemsize))
descriptors.frombytes(control[0][2][: descriptors.itemsize])
master = descriptors[0]
os.write(master, sys.argv[2].encode())
while True:
    try:
        data = os.read(master, 4096)
    except OSError:
        break
    if not data:
        break
    os.write(1, data)
