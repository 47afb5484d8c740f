"""TCP echo server, version 2: messages of any length, a small buffer.

Counterpart of echo_server_v2.ts, written for the tests."""
import codecs
import socket

HOST = "127.0.0.1"
PORT = 1236
BUF_SIZE = 15  # bytes read from a client at a time
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
    return None


def echo_server(host, port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((host, port))
    sock.listen()
    print("Listening..")
    while True:
        client, address = sock.accept()
        print("Connection Address is: ", address)
        message = receive_message(client)
        if message is not None:
            print(message)
            client.sendall(f"{len(message):>{HEADER_SIZE}}{message}".encode())
        client.close()


if __name__ == "__main__":
    echo_server(HOST, PORT)
