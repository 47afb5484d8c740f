import select
import selectors
import socket

server = socket.socket()
server.setblocking(False)
server.bind(("127.0.0.1", 7001))  #: bind
server.listen()  #: listen
client = socket.socket()
client.setblocking(False)
print(client.connect_ex(("127.0.0.1", 7001)) != 0)
select.select([], [client], [])
print("error:", client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))  #: connect
sockets, clients = [server], 0
client.send(b"ping")  #: send 4
while sockets:
    for sock in select.select(sockets, [], [])[0]:
        if sock is server:
            sockets.append(server.accept()[0])  #: accept
            sockets.remove(server)
        else:
            data = sock.recv(3)  #: receive 3, receive 1, receive 0
            print(data)
            if not data:
                sockets.remove(sock)
            elif len(data) < 3:
                client.shutdown(socket.SHUT_WR)  #: shutdown
with selectors.DefaultSelector() as selector:
    selector.register(client, selectors.EVENT_READ, "the client")
    sock.sendall(b"bye")  #: send 3
    for key, _ in selector.select():
        print(key.data, key.fileobj.recv(100))  #: receive 3
try:
    client.recv(1)
except BlockingIOError as error:
    print(error)
