"""The guess server as a class, with a dictionary of verdicts."""
import random
import re
import socket
import sys


class Game:
    VERDICTS = {-1: "HIGHER", 0: "CORRECT", 1: "LOWER"}

    def __init__(self, secret=None):
        self.secret = secret if secret is not None else random.randint(1, 99)

    def verdict(self, guess):
        if not re.fullmatch(r"[+-]?[0-9]+", guess):
            return "INVALID"
        number = int(guess)
        return self.VERDICTS[(number > self.secret) - (number < self.secret)]


flags = dict(arg.lstrip("-").split("=") for arg in sys.argv[1:])
port = int(flags.get("port", 9900))
game = Game(int(flags["secret"]) if "secret" in flags else None)
sock = socket.socket(type=socket.SOCK_DGRAM)
sock.bind(("localhost", port))
print("Starting up guess server on localhost port", port)
print("Waiting for guesses", flush=True)
for datagram, player in iter(lambda: sock.recvfrom(2048), None):
    guess = datagram.decode("utf-8", "replace").strip()
    verdict = game.verdict(guess)
    print(f"{player} guessed {guess}: {verdict}", flush=True)
    sock.sendto(verdict.encode(), player)
