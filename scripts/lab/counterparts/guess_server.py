"""UDP guessing game, the server: compares each guess with a number.

Counterpart of guess_server.ts, written from the sheet."""
import argparse
import random
import socket

HOST = "localhost"
DATA_PAYLOAD = 2048  # bytes taken from a datagram at most


def judge(guess, secret):
    try:
        number = int(guess)
    except ValueError:
        return "INVALID"
    if number == secret:
        return "CORRECT"
    return "HIGHER" if number < secret else "LOWER"


def guess_server(host, port, secret):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((host, port))
    print(f"Starting up guess server on {host} port {port}")
    print("Waiting for guesses")
    while True:
        data, address = sock.recvfrom(DATA_PAYLOAD)
        guess = data.decode(errors="backslashreplace").strip()
        verdict = judge(guess, secret)
        print(f"{address} guessed {guess}: {verdict}")
        sock.sendto(verdict.encode(), address)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=9900)
    parser.add_argument("--secret", type=int, default=random.randrange(1, 100))
    args = parser.parse_args()
    guess_server(HOST, args.port, args.secret)
