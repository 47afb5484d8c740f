import os
import socket

one = socket.socket(type=socket.SOCK_DGRAM)
one.bind(("127.0.0.1", 7001))  #: bind
two = socket.socket(type=socket.SOCK_DGRAM)
print(two.connect_ex(("127.0.0.1", 7001)))  #: connect
two.send(bytearray(b"first"))  #: send 5
two.sendall(memoryview(b"second"))  #: send 6
buffer = bytearray(4)
print(one.recv_into(buffer), buffer)  #: receive 4
print(one.recvfrom_into(buffer, 2)[0], buffer)  #: receive 2
for call in (lambda: one.recv(), lambda: one.connect(), lambda: one.bind("x"), lambda: two.send("text")):
    try:
        call()  # the errors are Python's own
    except TypeError as error:
        print(error)
left, right = socket.socketpair()
left.send(b"not the network")
print(right.recv(100), left.fileno() < 20)
print("not flushed", end="")
os._exit(3)
