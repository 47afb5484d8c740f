"""A connected socket hears the server alone, and asks again."""
import socket
import sys

PORT = 8080

sentence = input("Input lowercase sentence:")
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.connect(("127.0.0.1", PORT))
sock.settimeout(0.7)
for _ in range(3):
    sock.send(sentence.encode())
    try:
        print(sock.recv(2048).decode())
        break
    except socket.timeout:
        print("no reply yet", file=sys.stderr)
    except ConnectionRefusedError:
        continue
else:
    sys.exit(1)
