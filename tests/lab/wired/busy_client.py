import socket

sock = socket.create_connection(("localhost", 10000))
sock.sendall(b"hello")
while True:
    pass
