"""UDP guessing game, the player: asks for guesses until the number is found.

Counterpart of guess_client.ts, written from the sheet."""
import argparse
import socket

HOST = "localhost"
DATA_PAYLOAD = 2048  # bytes taken from a reply at most
TIMEOUT = 5  # seconds


def guess_client(host, port):
    reply = ""
    while reply != "CORRECT":
        guess = input("Guess a number between 1 and 99: ")
        try:
            int(guess)
        except ValueError:
            continue
        # A socket of its own for each question, as in the other program.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(TIMEOUT)
            sock.sendto(guess.encode(), (host, port))
            data, _ = sock.recvfrom(DATA_PAYLOAD)
        reply = data.decode()
        print(reply)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=9900)
    guess_client(HOST, parser.parse_args().port)
