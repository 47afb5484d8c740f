"""TCP echo server, version 3: echoes message after message until "exit".

Counterpart of echo_server_v3.ts, written from the sheet."""
import codecs
import socket

HOST = "127.0.0.1"
PORT = 1236
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


def echo_server(host, port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((host, port))
    sock.listen()
    print("Listening..")
    while True:
        client, address = sock.accept()
        print("Connection Address is: ", address)
        while True:
            message = receive_message(client)
            if message is None:
                break
            print("full message received")
            print(message)
            send_message(client, message)
            if message == "exit":
                break
        client.close()
        print("Finished serving client: ", address)


if __name__ == "__main__":
    echo_server(HOST, PORT)
