"""TCP echo client, version 3: sends what is typed until that is "exit".

Counterpart of echo_client_v3.ts, written for the tests."""
import codecs
import socket

HOST = "127.0.0.1"
PORT = 1236
BUF_SIZE = 15  # bytes read from the server at a time
HEADER_SIZE = 10  # characters that hold the length of a message


def receive_messages(sock):
    decoder = codecs.getincrementaldecoder("utf-8")()
    text = ""
    while data := sock.recv(BUF_SIZE):
        for char in decoder.decode(data):
            text += char
            length = len(text) - HEADER_SIZE
            if length >= 0 and length == int(text[:HEADER_SIZE]):
                yield text[HEADER_SIZE:]
                text = ""


def echo_client(host, port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.connect((host, port))
    replies = receive_messages(sock)
    message = ""
    while message != "exit":
        try:
            message = input('Enter a message: "exit" to abort:')
        except EOFError:
            message = "exit"
        sock.sendall(f"{len(message):>{HEADER_SIZE}}{message}".encode())
        print(next(replies))
    sock.close()
    print("Connection Closed")


if __name__ == "__main__":
    echo_client(HOST, PORT)
