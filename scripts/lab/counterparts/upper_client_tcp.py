"""TCP client that has a sentence put into upper case.

Counterpart of upper_client_tcp.ts, written from the sheet."""
import socket

HOST = "127.0.0.1"
PORT = 8080
BUFFER_SIZE = 2048  # bytes read from the server at a time


def upper_client(host, port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.connect((host, port))
    sentence = input("Input lowercase sentence:")
    sock.sendall(sentence.encode())
    sock.shutdown(socket.SHUT_WR)
    modified = b""
    while data := sock.recv(BUFFER_SIZE):
        modified += data
    print("From Server:", modified.decode())
    sock.close()


if __name__ == "__main__":
    upper_client(HOST, PORT)
