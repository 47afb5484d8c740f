"""TCP echo server, version 3: echoes message after message until "exit".

Counterpart of echo_server_v3.ts, written for the tests."""
import codecs
import socket

HOST = "127.0.0.1"
PORT = 1236
BUF_SIZE = 15  # bytes read from a client at a time
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


def echo_server(host, port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((host, port))
    sock.listen()
    print("Listening..")
    while True:
        client, address = sock.accept()
        print("Connection Address is: ", address)
        for message in receive_messages(client):
            print("full message received")
            print(message)
            client.sendall(f"{len(message):>{HEADER_SIZE}}{message}".encode())
            if message == "exit":
                break
        client.close()
        print("Finished serving client: ", address)


if __name__ == "__main__":
    echo_server(HOST, PORT)
