"""TCP client that sends one message and closes.

Counterpart of tcp_client.ts, written from the sheet."""
import socket

HOST = "localhost"
PORT = 81
MESSAGE = "Hi. I am a TCP client sending data to the server"


def tcp_client(host, port, message):
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.connect((host, port))
    try:
        sock.sendall(message.encode())
    finally:
        print("Closing socket")
        sock.close()


if __name__ == "__main__":
    tcp_client(HOST, PORT, MESSAGE)
