"""TCP echo client, version 3: sends what is typed until that is "exit".

Counterpart of echo_client_v3.ts, written from the sheet."""
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


def echo_client(host, port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.connect((host, port))
    while True:
        try:
            message = input('Enter a message: "exit" to abort:')
        except EOFError:
            message = "exit"
        send_message(sock, message)
        print(receive_message(sock))
        if message == "exit":
            break
    sock.close()
    print("Connection Closed")


if __name__ == "__main__":
    echo_client(HOST, PORT)
