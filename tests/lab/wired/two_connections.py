import socket

first = socket.create_connection(("127.0.0.1", 6789))
second = socket.create_connection(("127.0.0.1", 6789))
second.sendall(b"to the second\n")
print(second.recv(100))
first.sendall(b"to the first\n")
print(first.recv(100))
first.close()
second.shutdown(socket.SHUT_WR)
print(second.recv(100))
second.close()
