"""TCP echo client, version 2: messages of any length, a small buffer.

Counterpart of echo_client_v2.ts, written for the tests."""
import codecs
import socket

HOST = "127.0.0.1"
PORT = 1236
MESSAGE = (
    "Hello!This is a longer message than the available buffer size of 15bytes"
)
BUF_SIZE = 15  # bytes read from the server at a time
HEADER_SIZE = 10  # characters that hold the length of a message


def receive_message(sock):
    decoder = codecs.getincrementaldecoder("utf-8")()
    text = ""
    while data := sock.recv(BUF_SIZE):
        text += decoder.decode(data)
        if len(text) >= HEADER_SIZE:
            end = HEADER_SIZE + int(text[:HEADER_SIZE])
            if len(text) >= end:
                return text[HEADER_SIZE:end]
    raise ConnectionError("the server closed before all came back")


def echo_client(host, port, message):
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.connect((host, port))
    sock.sendall(f"{len(message):>{HEADER_SIZE}}{message}".encode())
    print(receive_message(sock))
    sock.close()


if __name__ == "__main__":
    echo_client(HOST, PORT, MESSAGE)
