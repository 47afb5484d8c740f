import asyncio


async def serve(reader, writer):
    data = await reader.read(100)
    print("received", data.decode())
    writer.write(data[::-1])
    await writer.drain()
    writer.close()
    await writer.wait_closed()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 8888)
    async with server:
        await server.serve_forever()


asyncio.run(main())
