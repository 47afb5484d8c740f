"""A thread for each client."""
import argparse
import codecs
import socket
import threading

ap = argparse.ArgumentParser()
ap.add_argument("--host", default="127.0.0.1")
ap.add_argument("--port", type=int, default=8080)
ap.add_argument("--buffer-size", type=int, default=2048)
ap.add_argument("--quiet", action="store_true")
a = ap.parse_args()


def serve(connection):
    with connection:
        dec = codecs.getincrementaldecoder("utf-8")("replace")
        try:
            while sentence := connection.recv(a.buffer_size):
                connection.sendall(dec.decode(sentence).upper().encode())
        except OSError:
            pass


welcome = socket.create_server((a.host, a.port))
print("The server is ready to receive")
while True:
    c, _ = welcome.accept()
    threading.Thread(target=serve, args=(c,), daemon=True).start()
