"""TCP server that prints what its clients send, and sends nothing.

Counterpart of tcp_server.ts, written for the tests."""
import codecs
import socket

HOST = "localhost"
PORT = 81
BUFFER_SIZE = 16  # bytes read from a client at a time


def tcp_server(host, port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((host, port))
    sock.listen()
    while True:
        print("Waiting for connection")
        client, address = sock.accept()
        print("Connected to client IP:", address)
        # A piece may end inside a character: the decoder keeps its beginning.
        decoder = codecs.getincrementaldecoder("utf-8")()
        while True:
            data = client.recv(BUFFER_SIZE)
            print("Received data:", decoder.decode(data))
            if not data:
                break
        client.close()


if __name__ == "__main__":
    tcp_server(HOST, PORT)
