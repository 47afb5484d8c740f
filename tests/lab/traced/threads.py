import socket
import threading


def serve(connection):
    with connection:  #: close
        while True:
            data = connection.recv(1024)  #: receive 3, receive 0
            if not data:
                break
            connection.send(data * 2)  #: send 6


def accept_all():
    for _ in range(3):
        connection, _ = server.accept()  #: accept
        thread = threading.Thread(target=serve, args=(connection,))
        thread.start()
        thread.join()


server = socket.socket()
server.bind(("127.0.0.1", 7001))  #: bind
server.listen()  #: listen
accepting = threading.Thread(target=accept_all)
accepting.start()
for name in (b"ann", b"bob", b"eve"):
    client = socket.create_connection(("127.0.0.1", 7001), timeout=5)  #: connect, timeout
    client.sendall(name)  #: send 3
    print(client.recv(64))  #: receive 6
    client.close()  #: close
accepting.join()
print([thread.name for thread in threading.enumerate()])
