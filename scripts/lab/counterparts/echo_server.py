"""TCP echo server: reads once from each client and sends back what it read.

Counterpart of echo_server.ts, written from the sheet."""
import argparse
import socket

HOST = "localhost"
DATA_PAYLOAD = 2048  # bytes read from a client at most
BACKLOG = 5  # clients that may wait


def echo_server(host, port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((host, port))
    sock.listen(BACKLOG)
    print(f"Starting up echo server on {host} port {port}")
    while True:
        print("Waiting to receive message from client")
        client, address = sock.accept()
        data = client.recv(DATA_PAYLOAD)
        if data:
            print("Data:", data.decode())
            client.sendall(data)
            print("sent", data.decode(), "bytes back to", address)
        client.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=9900)
    echo_server(HOST, parser.parse_args().port)
