import socket

with socket.create_server(("127.0.0.1", 7001)) as server:  #: bind, listen, close
    with socket.create_connection(("127.0.0.1", 7001)) as client:  #: connect, close
        connection, _ = server.accept()  #: accept
        reader = connection.makefile(encoding="utf-8")
        writer = connection.makefile("w", encoding="utf-8")
        with connection, reader, writer:  #: close
            client.sendall("zwölf\nzwei\n".encode())  #: send 12
            client.shutdown(socket.SHUT_WR)  #: shutdown
            for line in reader:  #: receive 12, receive 0
                print("line", repr(line), file=writer)
                print("line", repr(line))
            writer.flush()  #: send 30
        print(client.recv(8, socket.MSG_PEEK))  #: receive 8
        print(client.recv(1000))  #: receive 30
