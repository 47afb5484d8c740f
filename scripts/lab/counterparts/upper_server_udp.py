"""UDP server that sends each datagram's text back in upper case.

Counterpart of upper_server_udp.ts, written from the sheet."""
import socket

HOST = "127.0.0.1"
PORT = 8080
BUFFER_SIZE = 2048  # bytes taken from a datagram at most


def upper_server(host, port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((host, port))
    print("The server is ready to receive")
    while True:
        data, address = sock.recvfrom(BUFFER_SIZE)
        sentence = data.decode()
        sock.sendto(sentence.upper().encode(), address)


if __name__ == "__main__":
    upper_server(HOST, PORT)
