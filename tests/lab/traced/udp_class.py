import socket


class Peer:
    def __init__(self, port=0):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("", port))  #: bind
        self.sock.settimeout(0.05)  #: timeout

    def ask(self, message, port):
        self.sock.sendto(message.encode(), ("127.0.0.1", port))  #: send 5

    def answer(self):
        data, address = self.sock.recvfrom(2048)  #: receive 5
        self.sock.sendto(data.upper(), 0, address)  #: send 5
        return data


server, client = Peer(7001), Peer()
client.ask("hello", 7001)
print("asked:", server.answer())
reply, address = client.sock.recvfrom(4096)  #: receive 5
print(f"{address} says {reply!r}")
try:
    client.answer()
except socket.timeout as error:
    print("no more:", error)
print(server.sock.getsockname()[1], client.sock.getsockname()[0])
