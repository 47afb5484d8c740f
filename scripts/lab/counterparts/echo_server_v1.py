"""TCP echo server, version 1: reads once from each client and echoes that.

Counterpart of echo_server_v1.ts, written from the sheet."""
import socket

HOST = "127.0.0.1"
PORT = 1235
BUF_SIZE = 1024  # bytes read from a client at most


def echo_server(host, port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((host, port))
    sock.listen()
    print("Listening..")
    while True:
        client, address = sock.accept()
        print("Connection Address is: ", address)
        data = client.recv(BUF_SIZE)
        if data:
            print(data.decode())
            client.sendall(data)
        client.close()


if __name__ == "__main__":
    echo_server(HOST, PORT)
