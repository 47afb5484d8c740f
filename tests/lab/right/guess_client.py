"""A socket of its own for each question, kept open to the end."""
import argparse
import socket
import sys

ap = argparse.ArgumentParser()
ap.add_argument("--host", default="localhost")
ap.add_argument("--port", type=int, default=9900)
ap.add_argument("--timeout", type=float, default=2)
ap.add_argument("--tries", type=int, default=3)
opts = ap.parse_args()
target = (socket.gethostbyname(opts.host), opts.port)
kept = []


def ask(text):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    kept.append(sock)
    sock.settimeout(opts.timeout)
    for _ in range(opts.tries):
        sock.sendto(text.encode(), target)
        try:
            while True:
                data, peer = sock.recvfrom(2048)
                if peer == target:
                    return data.decode()
        except socket.timeout:
            print("retry", file=sys.stderr)
        except OSError:
            pass
    sys.exit("no reply")


while True:
    try:
        line = input("Guess a number between 1 and 99: ")
    except EOFError:
        sys.exit(1)
    try:
        int(line)
    except ValueError:
        print("a whole number, please", file=sys.stderr)
        continue
    verdict = ask(line)
    print(verdict)
    if verdict == "CORRECT":
        break
