"""TCP server that sends text back in upper case until the client's end.

Counterpart of upper_server_tcp.ts, written from the sheet."""
import codecs
import socket

HOST = "127.0.0.1"
PORT = 8080
BUFFER_SIZE = 2048  # bytes read from a client at a time


def upper_server(host, port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((host, port))
    sock.listen()
    print("The server is ready to receive")
    while True:
        client, _ = sock.accept()
        # A piece may end inside a character: the decoder keeps its beginning.
        decoder = codecs.getincrementaldecoder("utf-8")()
        while data := client.recv(BUFFER_SIZE):
            sentence = decoder.decode(data)
            client.sendall(sentence.upper().encode())
        client.close()


if __name__ == "__main__":
    upper_server(HOST, PORT)
