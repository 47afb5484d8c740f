import socket

sock = socket.create_server(("localhost", 10000))
connection, address = sock.accept()
data = connection.recv(16)
print("length", int(data))
connection.sendall(data)
