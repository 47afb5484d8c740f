"""TCP echo client: sends one message and reads until all of it has come back.

Counterpart of echo_client.ts, written from the sheet."""
import argparse
import socket

HOST = "localhost"
MESSAGE = "Test message. This will be echoed"
BUFFER_SIZE = 16  # bytes read from the server at most


def echo_client(host, port, message):
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    print(f"Connecting to {host} port {port}")
    sock.connect((host, port))
    try:
        print("Sending", message)
        data = message.encode()
        sock.sendall(data)
        amount_received = 0
        while amount_received < len(data):
            piece = sock.recv(BUFFER_SIZE)
            if not piece:
                raise ConnectionError("the server closed before all came back")
            amount_received += len(piece)
            print("Received:", piece.decode())
    finally:
        print("Closing connection to the server")
        sock.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=9900)
    echo_client(HOST, parser.parse_args().port, MESSAGE)
