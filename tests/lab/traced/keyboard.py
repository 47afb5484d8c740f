import argparse
import socket
import sys

parser = argparse.ArgumentParser(description="asks")
parser.add_argument("--port", type=int, default=7001)
port = parser.parse_args().port
server = socket.socket(type=socket.SOCK_DGRAM)
server.bind(("127.0.0.1", port))  #: bind
client = socket.socket(type=socket.SOCK_DGRAM)
name = input("Your name: ")  #: input
client.sendto("{:>8}".format(name).encode(), ("127.0.0.1", port))  #: send 8
print("asked on", "port", port, sep=" - ", end=".\n")
print("%r" % server.recv(100))  #: receive 8
print(sys.stdin.readline(), end="")  #: input
for line in sys.stdin:  #: input
    print("rest:", line.rstrip())
print("to stderr", file=sys.stderr)
sys.stdout.write("no line end")
