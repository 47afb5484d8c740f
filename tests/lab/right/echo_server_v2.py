"""With argparse, and a decoder that keeps half a character."""
import argparse
import codecs
import socket
import sys

HEADER_SIZE = 10
cli = argparse.ArgumentParser()
cli.add_argument("--host", default="127.0.0.1")
cli.add_argument("--port", type=int, default=1236)
cli.add_argument("--buffer-size", type=int, default=15)
cli.add_argument("--quiet", action="store_true")
conf = cli.parse_args()


def receive(conn):
    decoder = codecs.getincrementaldecoder("utf-8")()
    text, length = "", None
    while length is None or len(text) < HEADER_SIZE + length:
        piece = conn.recv(conf.buffer_size)
        if not piece:
            return None
        text += decoder.decode(piece)
        if length is None and len(text) >= HEADER_SIZE:
            length = int(text[:HEADER_SIZE])
            if not 0 <= length <= 1048576:
                raise ValueError("too long")
    return text[HEADER_SIZE:HEADER_SIZE + length]


listener = socket.create_server((conf.host, conf.port))
print("Listening..")
while True:
    conn, addr = listener.accept()
    print("Connection Address is: ", addr)
    try:
        message = receive(conn)
        if message is not None:
            print(message)
            conn.sendall(f"{len(message):>{HEADER_SIZE}}{message}".encode())
    except (ValueError, OSError) as e:
        print("dropped:", e, file=sys.stderr)
    finally:
        conn.close()
