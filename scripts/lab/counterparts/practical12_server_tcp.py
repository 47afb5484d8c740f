"""TCP echo server that echoes until the client disconnects.

Counterpart of practical12_server_tcp.ts, written from the sheet."""
import socket

HOST = "127.0.0.1"
PORT = 12345
BUFFER_SIZE = 1024  # bytes read from a client at a time


def echo_server(host, port):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen()
        while True:
            client, address = sock.accept()
            with client:
                print("Connected by", address)
                while data := client.recv(BUFFER_SIZE):
                    print("Received", data)
                    client.sendall(data)


if __name__ == "__main__":
    echo_server(HOST, PORT)
