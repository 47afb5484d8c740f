import asyncio


async def serve(reader, writer):
    data = await reader.readline()
    writer.write(data.upper())  #: send 6
    await writer.drain()
    writer.close()


class Udp(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport
        self.got = asyncio.get_running_loop().create_future()

    def datagram_received(self, data, address):
        self.got.set_result((data, address))


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 7001)  #: bind, listen
    print(server.sockets[0].getsockname())
    reader, writer = await asyncio.open_connection("127.0.0.1", 7001)
    print(writer.get_extra_info("peername"))
    writer.write(b"hello\n")  #: send 6
    print(await reader.read())
    writer.close()
    server.close()  #: close
    loop = asyncio.get_running_loop()
    transport, one = await loop.create_datagram_endpoint(Udp, local_addr=("127.0.0.1", 7002))  #: bind
    other, _ = await loop.create_datagram_endpoint(Udp, remote_addr=("127.0.0.1", 7002))  #: connect
    other.sendto(b"datagram")  #: send 8
    print((await one.got)[0])
    transport.close()
    other.close()
    try:
        await asyncio.open_connection("127.0.0.1", 7001)  #: close
    except OSError as error:
        print(error)


asyncio.run(main())
