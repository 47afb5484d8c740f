"""TCP server that prints what its clients send, and sends nothing.

Counterpart of tcp_server.ts, written from the sheet."""
import codecs
import socket

HOST = "localhost"
PORT = 81
BUFFER_SIZE = 32  # bytes per read


def tcp_server(host, port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((host, port))
    sock.listen()
    while True:
        print("Waiting for connection")
        client, address = sock.accept()
        print("Connected to client IP:", address)
        # A read can end in the middle of a character: the decoder keeps its bytes.
        decoder = codecs.getincrementaldecoder("utf-8")()
        while True:
            data = client.recv(BUFFER_SIZE)
            print("Received data:", decoder.decode(data))
            if not data:
                break
        client.close()


if __name__ == "__main__":
    tcp_server(HOST, PORT)
