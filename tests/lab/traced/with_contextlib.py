import contextlib
import socket


def listener(port):
    sock = socket.socket()
    sock.bind(("localhost", port))  #: bind
    sock.listen()  #: listen
    return contextlib.closing(sock)


with listener(7001) as server, socket.socket() as client:  #: close
    client.connect(("localhost", 7001))  #: connect
    client.sendall("héllo wörld, this is long".encode())  #: send 27
    client.shutdown(socket.SHUT_WR)  #: shutdown
    connection, _ = server.accept()  #: accept
    with connection:  #: close
        while data := connection.recv(10):  #: receive 10, receive 7, receive 0
            print(len(data), data.decode(errors="replace"))
