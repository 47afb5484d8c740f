"""UDP echo client: sends what is typed and prints the bytes that come back.

Counterpart of practical12_client_udp.ts, written from the sheet."""
import socket

HOST = "127.0.0.1"
PORT = 12345
BUFFER_SIZE = 1024  # bytes taken from the reply at most
TIMEOUT = 5  # seconds


def echo_client(host, port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(TIMEOUT)
        message = input("Enter a message: ") or "Hello, world"
        sock.sendto(message.encode(), (host, port))
        received, _ = sock.recvfrom(BUFFER_SIZE)
    print("Received", received)


if __name__ == "__main__":
    echo_client(HOST, PORT)
