"""With socketserver."""
import socketserver


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        data, sock = self.request
        data = data[:1024]
        print("Received", repr(data), "from", self.client_address, flush=True)
        sock.sendto(data, self.client_address)


with socketserver.UDPServer(("127.0.0.1", 12345), Echo) as server:
    server.serve_forever()
