"""Echo server with a thread for each client, which prints what
practical12_server_tcp.ts prints. Prints the port that it listens on."""
import socket
import sys
import threading

BUFFER_SIZE = 1024  # bytes read from a client at a time


def serve(client, address):
    with client:
        print("Connected by", address)
        while data := client.recv(BUFFER_SIZE):
            print("Received", data)
            client.sendall(data)


with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
    port = listener.getsockname()[1]
    print(f"note: listening on 127.0.0.1 port {port}", file=sys.stderr, flush=True)
    while True:
        threading.Thread(target=serve, args=listener.accept(), daemon=True).start()
