"""UDP echo client: sends one datagram and waits for it to come back.

Counterpart of echo_client_udp.ts, written from the sheet."""
import argparse
import socket

HOST = "localhost"
MESSAGE = "Test message. This will be echoed"
DATA_PAYLOAD = 2048  # bytes taken from the reply at most
TIMEOUT = 5  # seconds


def echo_client(host, port, message):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(TIMEOUT)
    print(f"Connecting to {host} port {port}")
    try:
        print("Sending", message)
        sock.sendto(message.encode(), (host, port))
        reply, _ = sock.recvfrom(DATA_PAYLOAD)
        print("received", reply.decode())
    finally:
        print("Closing connection to the server")
        sock.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=9900)
    echo_client(HOST, parser.parse_args().port, MESSAGE)
