import socket

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.settimeout(0.5)
for attempt in range(3):
    sock.sendto(b"ping %d" % attempt, ("127.0.0.1", 12000))
    try:
        data, server = sock.recvfrom(1024)
    except socket.timeout:
        print("Request timed out")
    else:
        print(data.decode(), "from", server)
