"""TCP echo client, version 1: sends one message and prints what comes back.

Counterpart of echo_client_v1.ts, written from the sheet."""
import socket

HOST = "127.0.0.1"
PORT = 1235
MESSAGE = "Hello!"
BUF_SIZE = 1024  # bytes read from the server at most


def echo_client(host, port, message):
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.connect((host, port))
    sock.sendall(message.encode())
    data = sock.recv(BUF_SIZE)
    print(data.decode())
    sock.close()


if __name__ == "__main__":
    echo_client(HOST, PORT, MESSAGE)
