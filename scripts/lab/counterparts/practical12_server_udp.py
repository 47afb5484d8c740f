"""UDP echo server: sends each datagram back to where it came from.

Counterpart of practical12_server_udp.ts, written from the sheet."""
import socket

HOST = "127.0.0.1"
PORT = 12345
BUFFER_SIZE = 1024  # bytes taken from a datagram at most


def echo_server(host, port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((host, port))
        while True:
            data, address = sock.recvfrom(BUFFER_SIZE)
            print("Received", data, "from", address)
            sock.sendto(data, address)


if __name__ == "__main__":
    echo_server(HOST, PORT)
