# The port is in the program, as in the original.
import socket
import sys

ADDRESS = ("127.0.0.1", 1235)

try:
    with socket.create_connection(ADDRESS) as connection:
        connection.send(b"Hello!")
        print(str(connection.recv(1024), "utf-8"))
except OSError as error:
    sys.exit(str(error))
