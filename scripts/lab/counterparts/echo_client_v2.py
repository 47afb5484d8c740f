"""TCP echo client, version 2: sends one message of any length and prints the echo.

Counterpart of echo_client_v2.ts, written from the sheet."""
import codecs
import socket

HOST = "127.0.0.1"
PORT = 1236
MESSAGE = (
    "Hello!This is a longer message than the available buffer size of 15bytes"
)
BUF_SIZE = 15  # bytes per read
HEADER_SIZE = 10  # characters that hold the length of a message


def receive(sock, count):
    decoder = codecs.getincrementaldecoder("utf-8")()
    text = ""
    while len(text) < count:
        data = sock.recv(min(BUF_SIZE, count - len(text)))
        if not data:
            break
        text += decoder.decode(data)
    return text


def receive_message(sock):
    header = receive(sock, HEADER_SIZE)
    if not header:
        return None
    return receive(sock, int(header))


def send_message(sock, message):
    header = f"{len(message):>{HEADER_SIZE}}"
    sock.sendall((header + message).encode())


def echo_client(host, port, message):
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.connect((host, port))
    send_message(sock, message)
    print(receive_message(sock))
    sock.close()


if __name__ == "__main__":
    echo_client(HOST, PORT, MESSAGE)
