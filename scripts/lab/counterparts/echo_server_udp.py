"""UDP echo server: sends each datagram back to where it came from.

Counterpart of echo_server_udp.ts, written from the sheet."""
import argparse
import socket

HOST = "localhost"
DATA_PAYLOAD = 2048  # bytes taken from a datagram at most


def echo_server(host, port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((host, port))
    print(f"Starting up echo server on {host} port {port}")
    while True:
        print("Waiting to receive message from client")
        data, address = sock.recvfrom(DATA_PAYLOAD)
        print("received", len(data), "bytes from", address)
        print("Data:", data.decode())
        if data:
            sent = sock.sendto(data, address)
            print("sent", sent, "bytes back to", address)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=9900)
    echo_server(HOST, parser.parse_args().port)
