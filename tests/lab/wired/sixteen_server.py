import socket


class Server:
    def __init__(self, host="localhost", port=10000):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.sock.bind((host, port))
        self.sock.listen(1)
        print("starting up on %s port %s" % self.sock.getsockname())

    def run(self):
        while True:
            print("waiting for a connection")
            connection, client_address = self.sock.accept()
            try:
                print("connection from", client_address)
                while True:
                    data = connection.recv(16)
                    print("received {!r}".format(data))
                    if not data:
                        break
                    connection.sendall(data)
            finally:
                connection.close()


Server().run()
