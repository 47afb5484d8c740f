import socket

server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.bind(("127.0.0.1", 7001))  #: bind
server.listen(5)  #: listen
print("listening on", server.getsockname())
client = socket.socket()
client.connect(("127.0.0.1", 7001))  #: connect
print("connected to", client.getpeername())
connection, address = server.accept()  #: accept
print("client from", address[0], "to", connection.getsockname())
client.sendall(b"Test message. This will be echoed")  #: send 33
received = 0
connection.sendall(connection.recv(2048))  #: receive 33, send 33
while received < 33:
    data = client.recv(16)  #: receive 16, receive 1
    received += len(data)
    print("Received: %s" % data)
client.close()  #: close
print(connection.recv(2048))  #: receive 0
connection.close()  #: close
server.close()  #: close
