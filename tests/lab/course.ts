/**
 * Originals as courses write them, for `lab compare`. Each names its port in its own way, has other
 * wording and few flags. Some serve one client and end.
 *
 * @module
 */
import { dirname } from "node:path";
import { unlistedPort } from "../helpers.ts";

const HEADERS = `def receive(sock):
    full = ''
    new = True
    while True:
        part = sock.recv(BUF_SIZE)
        if not part:
            return None
        if new:
            length = int(part[:HEADER_SIZE])
            new = False
        full += part.decode('utf-8')
        if len(full) - HEADER_SIZE == length:
            return full[HEADER_SIZE:]

def framed(text):
    return bytes(f'{len(text):>{HEADER_SIZE}}' + text, 'utf-8')
`;

/** The files of a course by their paths. `PORT` means a number. */
const FILES: Record<string, string> = {
  "week2/1_13a_echo_server.py": `#!/usr/bin/env python
# Python Network Programming Cookbook -- Chapter - 1
# It may run on any recent version of Python with/without modifications.
import argparse
import socket
import sys

host = 'localhost'
data_payload = 2048
backlog = 5

def echo_server(port):
    """ A simple echo server """
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server_address = (host, port)
    print ("Starting up echo server on %s port %s" % server_address)
    sock.bind(server_address)
    sock.listen(backlog)
    while True:
        print ("Waiting to receive message from client")
        client, address = sock.accept()
        data = client.recv(data_payload)
        if data:
            print ("Data: %s" %data)
            client.send(data)
            print ("sent %s bytes back to %s" % (data, address))
        client.close()

if __name__ == '__main__':
    parser = argparse.ArgumentParser(description='Socket Server Example')
    parser.add_argument('--port', action="store", dest="port", type=int, required=True)
    given_args = parser.parse_args()
    port = given_args.port
    echo_server(port)
`,
  "week2/1_13b_echo_client.py": `import argparse
import socket

host = 'localhost'

def echo_client(port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    server_address = (host, port)
    print ("Connecting to %s port %s" % server_address)
    sock.connect(server_address)
    try:
        message = "Test message. This will be echoed"
        print ("Sending %s" % message)
        sock.sendall(message.encode('utf-8'))
        amount_received = 0
        amount_expected = len(message)
        while amount_received < amount_expected:
            data = sock.recv(16)
            amount_received += len(data)
            print ("Received: %s" % data)
    finally:
        print ("Closing connection to the server")
        sock.close()

parser = argparse.ArgumentParser()
parser.add_argument('--port', type=int, required=True)
echo_client(parser.parse_args().port)
`,
  "week2/1_14a_echo_server_udp.py": `import socket
import sys
host = 'localhost'
data_payload = 2048
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server_address = (host, int(sys.argv[1]))
print("UDP server up on %s port %s" % server_address)
sock.bind(server_address)
while True:
    data, address = sock.recvfrom(data_payload)
    print("received %s bytes from %s" % (len(data), address))
    if data:
        sent = sock.sendto(data, address)
`,
  "week2/1_14b_echo_client_udp.py": `import socket
import sys
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
message = 'Another message.'
sent = sock.sendto(message.encode(), ('localhost', int(sys.argv[1])))
data, server = sock.recvfrom(2048)
print("received %s" % data)
sock.close()
`,
  "week2/solutions/guess_server.py": `import random, socket
secret = random.randrange(1, 100)
SERVER = ("localhost", PORT)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(SERVER)
while True:
    guess, player = s.recvfrom(64)
    n = int(guess)
    reply = "CORRECT" if n == secret else "HIGHER" if n < secret else "LOWER"
    s.sendto(reply.encode(), player)
`,
  "week2/solutions/guess_client.py": `import socket
SERVER = ("localhost", PORT)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
reply = ""
while reply != "CORRECT":
    s.sendto(input("Your guess? ").encode(), SERVER)
    reply = s.recvfrom(64)[0].decode()
    print(reply)
`,
  "codl/echoserver.py": `import socket

T_IP = '127.0.0.1'
T_PORT = PORT
BUF_SIZE = 1024

k = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
k.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
k.bind((T_IP, T_PORT))
k.listen(1)
print('Listening..')
con, addr = k.accept()
print('Connection Address is: ', addr)
data = con.recv(BUF_SIZE)
print(data.decode())
con.send(data)
con.close()
`,
  "codl/echoclient.py": `import socket

T_IP = '127.0.0.1'
T_PORT = PORT
MSG = "Hello!"

k = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
k.connect((T_IP, T_PORT))
k.send(MSG.encode('utf-8'))
data = k.recv(1024)
k.close()
print(data.decode())
`,
  "codl/echoserverv2.py": `import socket
TCP_IP, TCP_PORT = '127.0.0.1', PORT
BUF_SIZE = 15
HEADER_SIZE = 10
${HEADERS}
k = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
k.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
k.bind((TCP_IP, TCP_PORT))
k.listen(1)
print('Listening..')
while True:
    con, addr = k.accept()
    print('Connection Address is: ', addr)
    text = receive(con)
    print(text)
    con.send(framed(text))
    con.close()
`,
  "codl/echoclientv2.py": `import socket
BUF_SIZE = 15
HEADER_SIZE = 10
${HEADERS}
def main(port=PORT):
    k = socket.socket()
    k.connect(('127.0.0.1', port))
    msg = 'Hello!This is a longer message than the available buffer size of 15bytes'
    k.send(framed(msg))
    print(receive(k))

main()
`,
  "codl/echoserverv3.py": `import socket
T_PORT = PORT
BUF_SIZE = 15
HEADER_SIZE = 10
${HEADERS}
k = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
k.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
k.bind(('', T_PORT))
k.listen(1)
while True:
    print('Server is listening')
    con, addr = k.accept()
    while True:
        text = receive(con)
        print('got', text)
        con.send(framed(text))
        if text == 'exit':
            break
    con.close()
`,
  "codl/echoclientv3.py": `import socket
T_PORT = PORT
BUF_SIZE = 15
HEADER_SIZE = 10
${HEADERS}
k = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
k.connect(('127.0.0.1', T_PORT))
while True:
    msg = input('Enter a message: "exit" to abort:')
    k.send(framed(msg))
    reply = receive(k)
    print(reply)
    if reply == 'exit':
        break
k.close()
print('Connection Closed')
`,
  "practical12/tcp/echo-server.py": `# echo-server.py
import socket

HOST = "127.0.0.1"  # Standard loopback interface address (localhost)
PORT_NO = PORT  # Port to listen on (non-privileged ports are > 1023)

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((HOST, PORT_NO))
    s.listen()
    conn, addr = s.accept()
    with conn:
        print(f"Connected by {addr}")
        while True:
            data = conn.recv(1024)
            if not data:
                break
            conn.sendall(data)
`,
  "practical12/tcp/echo-client.py": `# echo-client.py
import socket

HOST = "127.0.0.1"
PORT_NO = PORT

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
    s.connect((HOST, PORT_NO))
    s.sendall(b"Hello, world")
    data = s.recv(1024)

print(f"Received {data!r}")
`,
  "practical12/udp/echo-server.py": `import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", PORT))
while True:
    data, addr = server.recvfrom(1024)
    print("Received", data, "from", addr)
    server.sendto(data, addr)
`,
  "practical12/udp/echo-client.py": `import socket
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
message = input("Enter a message: ")
client.sendto(message.encode(), ("127.0.0.1", PORT))
data, addr = client.recvfrom(1024)
print("Received", data)
`,
  "guide/UDPServer.py": `from socket import *
serverPort = PORT
serverSocket = socket(AF_INET, SOCK_DGRAM)
serverSocket.bind(('', serverPort))
print("The server is ready to receive")
while True:
    message, clientAddress = serverSocket.recvfrom(2048)
    modifiedMessage = message.decode().upper()
    serverSocket.sendto(modifiedMessage.encode(), clientAddress)
`,
  "guide/UDPClient.py": `from socket import *
serverName = '127.0.0.1'
serverPort = PORT
clientSocket = socket(AF_INET, SOCK_DGRAM)
message = input('Input lowercase sentence:')
clientSocket.sendto(message.encode(), (serverName, serverPort))
modifiedMessage, serverAddress = clientSocket.recvfrom(2048)
print(modifiedMessage.decode())
clientSocket.close()
`,
  "guide/TCPServer.py": `from socket import *
serverPort = PORT
serverSocket = socket(AF_INET, SOCK_STREAM)
serverSocket.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
serverSocket.bind(('', serverPort))
serverSocket.listen(1)
print('The server is ready to receive')
while True:
    connectionSocket, addr = serverSocket.accept()
    sentence = connectionSocket.recv(1024).decode()
    capitalizedSentence = sentence.upper()
    connectionSocket.send(capitalizedSentence.encode())
    connectionSocket.close()
`,
  "guide/TCPClient.py": `from socket import *
serverName = 'localhost'
serverPort = PORT
clientSocket = socket(AF_INET, SOCK_STREAM)
clientSocket.connect((serverName,serverPort))
sentence = input('Input lowercase sentence:')
clientSocket.send(sentence.encode())
modifiedSentence = clientSocket.recv(1024)
print('From Server: ', modifiedSentence.decode())
clientSocket.close()
`,
  "simple/server.py": `import socket
sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
sock.bind(('localhost', PORT))
sock.listen(1)
while True:
    print("Waiting for connection")
    connection, client = sock.accept()
    try:
        print("Connected to client IP: {}".format(client))
        while True:
            data = connection.recv(32)
            print("Received data: {}".format(data))
            if not data:
                break
    finally:
        connection.close()
`,
  "simple/client.py": `import socket
server_address = (
    'localhost',
    PORT,
)
sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
sock.connect(server_address)
try:
    msg = "Hi. I am a TCP client sending data to the server"
    sock.sendall(msg.encode())
finally:
    print("Closing socket")
    sock.close()
`,
};

/**
 * Writes the course's files, server and client of a lab with the same free port.
 *
 * @param folder The folder in which to write them, in folders of their own.
 * @param only Parts of the paths of the files to write; without any, all are written.
 * @returns The paths of the files.
 */
export async function writeCourse(folder: string, ...only: string[]): Promise<string[]> {
  const ports = new Map<string, number>();
  const wanted = Object.entries(FILES).filter(([path]) =>
    only.length === 0 || only.some((part) => path.includes(part))
  );
  const files: string[] = [];
  for (const [path, source] of wanted) {
    const lab = path.toLowerCase().replace(/server|client|1_1\d[ab]_/g, "");
    const transport = source.includes("SOCK_DGRAM") ? "udp" : "tcp";
    if (!ports.has(lab)) ports.set(lab, await unlistedPort(transport));
    const file = `${folder}/${path}`;
    Deno.mkdirSync(dirname(file), { recursive: true });
    Deno.writeTextFileSync(file, source.replace(/\bPORT\b/g, `${ports.get(lab)}`));
    files.push(file);
  }
  return files;
}
