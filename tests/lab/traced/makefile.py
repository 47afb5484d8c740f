import socket

with socket.create_server(("127.0.0.1", 7001)) as server:  #: bind, listen, close
    with socket.create_connection(("127.0.0.1", 7001)) as client:  #: connect, close
        connection, _ = server.accept()  #: accept
        with connection, connection.makefile("rw", encoding="utf-8") as stream:  #: close
            client.sendall("zwölf\nzwei\n".encode())  #: send 12
            client.shutdown(socket.SHUT_WR)  #: shutdown
            for line in stream:  #: receive 12, receive 0
                print("line", repr(line), file=stream)
                print("line", repr(line))
            stream.flush()  #: send 16
        print(client.recv(8, socket.MSG_PEEK))  #: receive 8
        print(client.recv(1000))  #: receive 16
