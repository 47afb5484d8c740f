"""With a file of the socket, and sys.stdin for the keyboard."""
import socket
import sys

HOST, PORT = "127.0.0.1", 12345

with socket.socket() as s:
    s.connect((HOST, PORT))
    print("Enter a message: ", end="", flush=True)
    message = sys.stdin.readline().rstrip("\n") or "Hello, world"
    sent = message.encode()
    s.sendall(sent)
    answer = s.makefile("rb").read(len(sent))
    if len(answer) < len(sent):
        raise SystemExit("the server closed too early")
    print("Received {!r}".format(answer))
