import socket

unused = "a message that is assigned and never sent"
message = "This is the %s. It will be repeated." % "message"
sock = socket.create_connection(("localhost", 10000))
print("sending", message)
sock.sendall(message.encode())
received = 0
while received < len(message):
    data = sock.recv(16)
    received += len(data)
    print("received", data)
print("closing socket")
sock.close()
