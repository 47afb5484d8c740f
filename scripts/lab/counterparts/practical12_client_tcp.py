"""TCP echo client: sends what is typed and prints the bytes that come back.

Counterpart of practical12_client_tcp.ts, written from the sheet."""
import socket

HOST = "127.0.0.1"
PORT = 12345
BUFFER_SIZE = 1024  # bytes read from the server at a time


def echo_client(host, port):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.connect((host, port))
        message = input("Enter a message: ") or "Hello, world"
        data = message.encode()
        sock.sendall(data)
        received = b""
        while len(received) < len(data):
            piece = sock.recv(BUFFER_SIZE)
            if not piece:
                raise ConnectionError("the server closed before all came back")
            received += piece
    print("Received", received)


if __name__ == "__main__":
    echo_client(HOST, PORT)
