"""UDP client that has a sentence put into upper case.

Counterpart of upper_client_udp.ts, written from the sheet."""
import socket

HOST = "127.0.0.1"
PORT = 8080
BUFFER_SIZE = 2048  # bytes taken from the reply at most
TIMEOUT = 5  # seconds


def upper_client(host, port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(TIMEOUT)
    sentence = input("Input lowercase sentence:")
    sock.sendto(sentence.encode(), (host, port))
    modified, _ = sock.recvfrom(BUFFER_SIZE)
    print(modified.decode())
    sock.close()


if __name__ == "__main__":
    upper_client(HOST, PORT)
