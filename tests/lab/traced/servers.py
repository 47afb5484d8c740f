import socket
import socketserver
import threading


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        line = self.rfile.readline()  #: receive 6
        if line == b"crash\n":
            raise ValueError("crash")
        self.wfile.write(line.upper())  #: send 6


class UdpHandler(socketserver.BaseRequestHandler):
    def handle(self):
        data, sock = self.request
        sock.sendto(data[::-1], self.client_address)  #: send 3


socketserver.TCPServer.allow_reuse_address = True
with socketserver.TCPServer(("127.0.0.1", 7001), Handler) as server:  #: bind, listen, close
    for line in (b"hello\n", b"crash\n"):
        client = socket.create_connection(server.server_address)  #: connect
        client.sendall(line)  #: send 6
        server.handle_request()  #: accept, shutdown, close
        print(client.makefile("rb").read())  #: receive 6, receive 0
        client.close()  #: close
with socketserver.UDPServer(("127.0.0.1", 7002), UdpHandler) as server:  #: bind, close
    thread = threading.Thread(target=server.handle_request)
    thread.start()
    client = socket.socket(type=socket.SOCK_DGRAM)
    client.sendto(b"abc", ("127.0.0.1", 7002))  #: send 3
    print(client.recv(10))  #: receive 3
    thread.join()
