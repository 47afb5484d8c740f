import socket

sock = socket.create_server(("localhost", 10000))
connection, address = sock.accept()
while True:
    connection.recv(1024)
