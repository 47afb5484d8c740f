/** Solutions of the exercises that are not done yet, with mistakes that students make. */

/** A solution with a mistake, and what the check says about it first. */
export interface HalfWay {
  /** The exercise. */
  exercise: number;
  /** What the student did. */
  did: string;
  /** What is in the gaps, in order. In the place of `undefined` stands the model. */
  gaps: (string | undefined)[];
  /** The first line of the first failure. */
  says: string | RegExp;
}

const READ = `
const buffer = new Uint8Array(bufferSize);`;

/** The states, in the order of the exercises. */
export const HALF_WAY: HalfWay[] = [
  {
    exercise: 1,
    did: "answers only at the client's end",
    gaps: [`
      const pieces: number[] = [];
      while (true) {
        const length = await client.read(buffer);
        if (length === null) break;
        pieces.push(...buffer.subarray(0, length));
      }
      const data = Uint8Array.from(pieces);
      log(data);
      await writeAll(client, data);`],
    says: /x/,
  },
  {
    exercise: 1,
    did: "reads twice",
    gaps: [`
      for (let i = 0; i < 2; i++) {
        const length = await client.read(buffer);
        if (length === null) return;
        const data = buffer.subarray(0, length);
        log(data);
        await writeAll(client, data);
      }`],
    says: /x/,
  },
  {
    exercise: 1,
    did: "sends the whole buffer",
    gaps: [`
      while (true) {
        const length = await client.read(buffer);
        if (length === null) break;
        log(buffer.subarray(0, length));
        await writeAll(client, buffer);
      }`],
    says: /x/,
  },
  {
    exercise: 1,
    did: "stops when a read does not fill the buffer",
    gaps: [`
      while (true) {
        const length = await client.read(buffer);
        if (length === null) break;
        const data = buffer.subarray(0, length);
        log(data);
        await writeAll(client, data);
        if (length < bufferSize) break;
      }`],
    says: /x/,
  },
  {
    exercise: 1,
    did: "does not handle null",
    gaps: [`
      while (true) {
        const length = await client.read(buffer);
        const data = buffer.subarray(0, length!);
        log(data);
        await writeAll(client, data);
      }`],
    says: /x/,
  },
  {
    exercise: 2,
    did: "reads once",
    gaps: [`${READ}
      const length = await server.read(buffer);
      print("Received:", buffer.subarray(0, length!));`],
    says: /x/,
  },
  {
    exercise: 2,
    did: "waits for the server's end",
    gaps: [`${READ}
      while (true) {
        const length = await server.read(buffer);
        if (length === null) break;
        print("Received:", buffer.subarray(0, length));
      }`],
    says: /x/,
  },
  {
    exercise: 2,
    did: "takes an early end for success",
    gaps: [`${READ}
      let received = 0;
      while (received < data.length) {
        const length = await server.read(buffer);
        if (length === null) break;
        received += length;
        print("Received:", buffer.subarray(0, length));
      }`],
    says: /x/,
  },
  {
    exercise: 2,
    did: "prints the whole buffer",
    gaps: [`${READ}
      let received = 0;
      while (received < data.length) {
        const length = await server.read(buffer);
        if (length === null) throw new UserError("it closed");
        received += length;
        print("Received:", buffer);
      }`],
    says: /x/,
  },
  {
    exercise: 2,
    did: "counts the characters of the message, not its bytes",
    gaps: [`${READ}
      let received = 0;
      while (received < message.length) {
        const length = await server.read(buffer);
        if (length === null) throw new UserError("it closed");
        received += length;
        print("Received:", buffer.subarray(0, length));
      }`],
    says: /x/,
  },
  {
    exercise: 2,
    did: "collects everything and prints it in one line",
    gaps: [`${READ}
      let text = "";
      while (text.length < data.length) {
        const length = await server.read(buffer);
        if (length === null) throw new UserError("it closed");
        text += new TextDecoder().decode(buffer.subarray(0, length));
      }
      print("Received:", text);`],
    says: /x/,
  },
  {
    exercise: 2,
    did: "assumes that every read fills the buffer",
    gaps: [`${READ}
      for (let i = 0; i < data.length; i += bufferSize) {
        const length = await server.read(buffer);
        if (length === null) throw new UserError("it closed");
        print("Received:", buffer.subarray(0, length));
      }`],
    says: /x/,
  },
  {
    exercise: 3,
    did: "reads once",
    gaps: [`${READ}
      const length = await client.read(buffer);
      if (length === null) return;
      log("Received data:", buffer.subarray(0, length));`],
    says: /x/,
  },
  {
    exercise: 3,
    did: "does not print the end",
    gaps: [`${READ}
      while (true) {
        const length = await client.read(buffer);
        if (length === null) break;
        log("Received data:", buffer.subarray(0, length));
      }`],
    says: /x/,
  },
  {
    exercise: 3,
    did: "decodes each piece by itself",
    gaps: [`${READ}
      while (true) {
        const length = await client.read(buffer);
        if (length === null) break;
        log("Received data:", new TextDecoder().decode(buffer.subarray(0, length)));
      }
      log("Received data:", "");`],
    says: /x/,
  },
  {
    exercise: 3,
    did: "prints everything at the end",
    gaps: [`${READ}
      let text = "";
      const decoder = new TextDecoder();
      while (true) {
        const length = await client.read(buffer);
        if (length === null) break;
        text += decoder.decode(buffer.subarray(0, length), { stream: true });
      }
      log("Received data:", text);
      log("Received data:", "");`],
    says: /x/,
  },
  {
    exercise: 3,
    did: "loops without end at the client's end",
    gaps: [`${READ}
      while (true) {
        const length = await client.read(buffer) ?? 0;
        log("Received data:", buffer.subarray(0, length));
      }`],
    says: /x/,
  },
  {
    exercise: 4,
    did: "leaves the break in",
    gaps: [`
      const [data, peer] = await socket.receive(buffer);
      log("received", data.length, "bytes from", peer);
      log("Data:", data);
      const sent = await socket.send(data, peer);
      log("sent", sent, "bytes back to", peer);
      break; // delete this line: the server must not end`],
    says: /x/,
  },
  {
    exercise: 4,
    did: "sends the buffer back",
    gaps: [`
      const [data, peer] = await socket.receive(buffer);
      log("received", data.length, "bytes from", peer);
      log("Data:", data);
      const sent = await socket.send(buffer, peer);
      log("sent", sent, "bytes back to", peer);`],
    says: /x/,
  },
  {
    exercise: 4,
    did: "counts characters",
    gaps: [`
      const [data, peer] = await socket.receive(buffer);
      const text = new TextDecoder().decode(data);
      log("received", text.length, "bytes from", peer);
      log("Data:", text);
      if (text === "") continue;
      await socket.send(data, peer);
      log("sent", text.length, "bytes back to", peer);`],
    says: /x/,
  },
  {
    exercise: 4,
    did: "echoes an empty datagram",
    gaps: [`
      const [data, peer] = await socket.receive(buffer);
      log("received", data.length, "bytes from", peer);
      log("Data:", data);
      const sent = await socket.send(data, peer);
      log("sent", sent, "bytes back to", peer);`],
    says: /x/,
  },
  {
    exercise: 4,
    did: "does not print an empty datagram",
    gaps: [`
      const [data, peer] = await socket.receive(buffer);
      if (data.length === 0) continue;
      log("received", data.length, "bytes from", peer);
      log("Data:", data);
      const sent = await socket.send(data, peer);
      log("sent", sent, "bytes back to", peer);`],
    says: /x/,
  },
  {
    exercise: 4,
    did: "answers only the first client",
    gaps: [`
      const [data, peer] = await socket.receive(buffer);
      while (true) {
        log("received", data.length, "bytes from", peer);
        log("Data:", data);
        const sent = await socket.send(data, peer);
        log("sent", sent, "bytes back to", peer);
        log("Waiting to receive message from client");
        await socket.receive(buffer);
      }`],
    says: /x/,
  },
  {
    exercise: 5,
    did: "sends the datagram back as it is",
    gaps: [`
      const [message, clientAddress] = await serverSocket.receive(buffer);
      await serverSocket.send(message, clientAddress);`],
    says: /x/,
  },
  {
    exercise: 5,
    did: "changes the bytes from a to z",
    gaps: [`
      const [message, clientAddress] = await serverSocket.receive(buffer);
      const upper = message.map((byte) => byte >= 97 && byte <= 122 ? byte - 32 : byte);
      await serverSocket.send(upper, clientAddress);`],
    says: /x/,
  },
  {
    exercise: 5,
    did: "decodes the whole buffer",
    gaps: [`
      const [, clientAddress] = await serverSocket.receive(buffer);
      const text = new TextDecoder().decode(buffer).toUpperCase();
      await serverSocket.send(new TextEncoder().encode(text), clientAddress);`],
    says: /x/,
  },
  {
    exercise: 5,
    did: "replaces the rest of a character",
    gaps: [`
      const [message, clientAddress] = await serverSocket.receive(buffer);
      const text = new TextDecoder().decode(message).toUpperCase();
      await serverSocket.send(new TextEncoder().encode(text), clientAddress);`],
    says: /x/,
  },
  {
    exercise: 5,
    did: "keeps the rest of a character for the next datagram",
    gaps: [`
      const decoder = new TextDecoder();
      while (true) {
        const [message, clientAddress] = await serverSocket.receive(buffer);
        const text = decoder.decode(message, { stream: true }).toUpperCase();
        await serverSocket.send(new TextEncoder().encode(text), clientAddress);
      }`],
    says: /x/,
  },
  {
    exercise: 6,
    did: "prints what it sent",
    gaps: [
      `
      const socket = Deno.listenDatagram({
        transport: "udp",
        hostname: anyAddress(hostname),
        port: 0,
      });`,
      `
      const sent = new TextEncoder().encode(text);
      await socket.send(sent, server);
      await socket.receive();
      print("Received", repr(sent));
      socket.close();`,
    ],
    says: /x/,
  },
  {
    exercise: 6,
    did: "prints text",
    gaps: [
      undefined,
      `
      await socket.send(new TextEncoder().encode(text), server);
      const [received] = await socket.receive(new Uint8Array(bufferSize));
      print("Received", received);
      socket.close();`,
    ],
    says: /x/,
  },
  {
    exercise: 6,
    did: "waits without end",
    gaps: [
      `
      const socket = Deno.listenDatagram({
        transport: "udp",
        hostname: anyAddress(hostname),
        port: 0,
      });`,
      undefined,
    ],
    says: /x/,
  },
  {
    exercise: 6,
    did: "gives up after the first try",
    gaps: [
      `
      const socket = withRetries(
        Deno.listenDatagram({ transport: "udp", hostname: anyAddress(hostname), port: 0 }),
        { timeout, tries: 1 },
      );`,
      undefined,
    ],
    says: /x/,
  },
  {
    exercise: 6,
    did: "sends again with a loop of its own, and takes any datagram for the reply",
    gaps: [
      `
      const socket = Deno.listenDatagram({
        transport: "udp",
        hostname: anyAddress(hostname),
        port: 0,
      });`,
      `
      const sent = new TextEncoder().encode(text);
      let received: Uint8Array | undefined;
      const reply = socket.receive(new Uint8Array(bufferSize)).then(([data]) => received = data);
      for (let i = 0; i < tries && !received; i++) {
        await socket.send(sent, server);
        await Promise.race([reply, new Promise((done) => setTimeout(done, 1000 * timeout))]);
      }
      if (!received) Deno.exit(1);
      print("Received", repr(received));
      socket.close();`,
    ],
    says: /x/,
  },
  {
    exercise: 7,
    did: "confuses HIGHER and LOWER",
    gaps: [`
      const guess = new TextDecoder().decode(data).trim();
      let verdict;
      if (number > Number(guess)) verdict = "LOWER";
      else if (number < Number(guess)) verdict = "HIGHER";
      else verdict = "CORRECT";
      log(peer, \`guessed \${guess}: \${verdict}\`);
      await socket.send(new TextEncoder().encode(verdict), peer);`],
    says: /x/,
  },
  {
    exercise: 7,
    did: "compares texts",
    gaps: [`
      const guess = new TextDecoder().decode(data).trim();
      if (VERDICTS.includes(guess)) continue;
      let verdict;
      if (!/^[+-]?\\d+$/.test(guess)) verdict = "INVALID";
      else if (\`\${number}\` > guess) verdict = "HIGHER";
      else if (\`\${number}\` < guess) verdict = "LOWER";
      else verdict = "CORRECT";
      log(peer, \`guessed \${guess}: \${verdict}\`);
      await socket.send(new TextEncoder().encode(verdict), peer);`],
    says: /x/,
  },
  {
    exercise: 7,
    did: "takes what is not a number for CORRECT",
    gaps: [`
      const guess = new TextDecoder().decode(data).trim();
      if (VERDICTS.includes(guess)) continue;
      let verdict;
      if (number > Number(guess)) verdict = "HIGHER";
      else if (number < Number(guess)) verdict = "LOWER";
      else verdict = "CORRECT";
      log(peer, \`guessed \${guess}: \${verdict}\`);
      await socket.send(new TextEncoder().encode(verdict), peer);`],
    says: /x/,
  },
  {
    exercise: 7,
    did: "answers a verdict",
    gaps: [`
      const guess = new TextDecoder().decode(data).trim();
      let verdict;
      if (!/^[+-]?\\d+$/.test(guess)) verdict = "INVALID";
      else if (number > Number(guess)) verdict = "HIGHER";
      else if (number < Number(guess)) verdict = "LOWER";
      else verdict = "CORRECT";
      log(peer, \`guessed \${guess}: \${verdict}\`);
      await socket.send(new TextEncoder().encode(verdict), peer);`],
    says: /x/,
  },
  {
    exercise: 8,
    did: "waits for each client",
    gaps: [`
      const client = await listener.accept();
      await serveClient(client, async () => {
        log("Connected by", client.remoteAddr);
        const buffer = new Uint8Array(bufferSize);
        while (true) {
          const length = await client.read(buffer);
          if (length === null) break;
          const data = buffer.subarray(0, length);
          if (!quiet) print("Received", repr(data));
          await writeAll(client, data);
        }
      });`],
    says: /x/,
  },
  {
    exercise: 8,
    did: "does not catch the errors of a client",
    gaps: [`
      const client = await listener.accept();
      const serve = async () => {
        log("Connected by", client.remoteAddr);
        const buffer = new Uint8Array(bufferSize);
        while (true) {
          const length = await client.read(buffer);
          if (length === null) break;
          const data = buffer.subarray(0, length);
          if (!quiet) print("Received", repr(data));
          await writeAll(client, data);
        }
        client.close();
      };
      serve();`],
    says: /x/,
  },
  {
    exercise: 9,
    did: "does not close its half",
    gaps: [`
      await writeAll(clientSocket, new TextEncoder().encode(sentence));
      const buffer = new Uint8Array(bufferSize);
      const decoder = new TextDecoder();
      let text = "";
      while (true) {
        const length = await clientSocket.read(buffer);
        if (length === null) break;
        text += decoder.decode(buffer.subarray(0, length), { stream: true });
      }
      print("From Server:", text);`],
    says: /x/,
  },
  {
    exercise: 9,
    did: "reads once",
    gaps: [`
      await writeAll(clientSocket, new TextEncoder().encode(sentence));
      await clientSocket.closeWrite();
      const buffer = new Uint8Array(bufferSize);
      const length = await clientSocket.read(buffer);
      print("From Server:", buffer.subarray(0, length ?? 0));`],
    says: /x/,
  },
  {
    exercise: 9,
    did: "closes both halves",
    gaps: [`
      await writeAll(clientSocket, new TextEncoder().encode(sentence));
      clientSocket.close();
      const buffer = new Uint8Array(bufferSize);
      const length = await clientSocket.read(buffer);
      print("From Server:", buffer.subarray(0, length ?? 0));`],
    says: /x/,
  },
  {
    exercise: 10,
    did: "has only receive",
    gaps: [`throw new UserError("TODO: receive a message");`, undefined],
    says: /x/,
  },
  {
    exercise: 10,
    did: "counts bytes",
    gaps: [
      undefined,
      `
      const decoder = new TextDecoder();
      let text = "";
      let missing = count;
      while (missing > 0) {
        const length = await client.read(buffer.subarray(0, missing));
        if (length === null && missing === count) return null;
        if (length === null) throw new UserError(CLOSED_EARLY);
        text += decoder.decode(buffer.subarray(0, length), { stream: true });
        missing -= length;
      }
      return text;`,
    ],
    says: /x/,
  },
  {
    exercise: 10,
    did: "reads once",
    gaps: [
      undefined,
      `
      const length = await client.read(buffer.subarray(0, count));
      if (length === null) return null;
      return new TextDecoder().decode(buffer.subarray(0, length));`,
    ],
    says: /x/,
  },
  {
    exercise: 10,
    did: "reads as much as the buffer holds",
    gaps: [
      undefined,
      `
      const decoder = new TextDecoder();
      let text = "";
      while (len(text) < count) {
        const length = await client.read(buffer);
        if (length === null && text === "") return null;
        if (length === null) throw new UserError(CLOSED_EARLY);
        text += decoder.decode(buffer.subarray(0, length), { stream: true });
      }
      return text.slice(0, count);`,
    ],
    says: /x/,
  },
  {
    exercise: 11,
    did: "receives one message",
    gaps: [`${READ}
      const message = await receiveMessage(client, buffer);
      if (message === null) return;
      log("full message received");
      log(message);
      await sendMessage(client, message);`],
    says: /x/,
  },
  {
    exercise: 11,
    did: "ends with every message that begins with exit",
    gaps: [`${READ}
      while (true) {
        const message = await receiveMessage(client, buffer);
        if (message === null) break;
        log("full message received");
        log(message);
        await sendMessage(client, message);
        if (message.startsWith("exit")) break;
      }`],
    says: /x/,
  },
  {
    exercise: 11,
    did: "does not end after exit",
    gaps: [`${READ}
      while (true) {
        const message = await receiveMessage(client, buffer);
        if (message === null) break;
        log("full message received");
        log(message);
        await sendMessage(client, message);
      }`],
    says: /x/,
  },
  {
    exercise: 11,
    did: "expects exit from every client",
    gaps: [`${READ}
      let message: string | null = "";
      while (message !== "exit") {
        message = await receiveMessage(client, buffer);
        log("full message received");
        log(message!);
        await sendMessage(client, message!);
      }`],
    says: /x/,
  },
];
