"""Version 3 with asyncio: many clients at the same time."""
import asyncio

PORT = 1236


async def read_text(reader, count):
    """Reads as many characters: a character's first byte says how many bytes it has."""
    data = b""
    for _ in range(count):
        first = await reader.readexactly(1)
        more = (first[0] >= 0xC0) + (first[0] >= 0xE0) + (first[0] >= 0xF0)
        data += first + await reader.readexactly(more)
    return data.decode()


async def serve(reader, writer):
    peer = writer.get_extra_info("peername")
    print("Connection Address is: ", peer, flush=True)
    message = None
    try:
        while message != "exit":
            message = await read_text(reader, int(await read_text(reader, 10)))
            print("full message received")
            print(message, flush=True)
            writer.write("{:>10}{}".format(len(message), message).encode())
            await writer.drain()
    except (asyncio.IncompleteReadError, ValueError, ConnectionError):
        pass
    print("Finished serving client: ", peer, flush=True)
    writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", PORT)
    print("Listening..", flush=True)
    await server.serve_forever()


try:
    asyncio.run(main())
except KeyboardInterrupt:
    pass
