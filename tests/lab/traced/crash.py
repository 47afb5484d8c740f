import logging
import socket
import threading
import traceback


def connect():
    socket.create_connection(("127.0.0.1", 7001))  #: close


def handle():
    try:
        connect()
    except OSError as error:
        raise RuntimeError("no server") from error


try:
    connect()
except OSError:
    traceback.print_exc()
    logging.exception("logged")
thread = threading.Thread(target=handle, name="worker")
thread.start()
thread.join()
sock = socket.socket(type=socket.SOCK_DGRAM)
sock.close()  #: close


def deep(n):
    return deep(n + 1) if n < 200 else sock.recv(16)


deep(0)
