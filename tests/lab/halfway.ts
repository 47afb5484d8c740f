/** Solutions of the exercises that are not done yet, with mistakes that students make. */

/** A solution with a mistake, and what the check says about it first. */
export interface HalfWay {
  /** The exercise. */
  exercise: number;
  /** What the student did. */
  did: string;
  /** What is in the gaps, in order. `undefined` means the model. */
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
    says:
      "the server sends nothing back before the client ends its half, and the client waits for its echo: both wait without end",
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
    says:
      "only 8 of 5000 bytes came back, and then the end: one read gives a part of a message, not always all of it",
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
    says: "more came back than should: 1018 zeros, the rest of its buffer",
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
    says: "what the client sends after its first echo does not come back",
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
    says: /a loop/, // on a busy machine before it has printed too much
  },
  {
    exercise: 2,
    did: "reads once",
    gaps: [`${READ}
      const length = await server.read(buffer);
      print("Received:", buffer.subarray(0, length!));`],
    says: "line 4 is missing: Received: is will be echoe",
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
    // On a busy machine, its own timeout of 10 s can be over first.
    says: /^(everything has come back, and the client still waits|.* no reply from .* for 10 s$)/,
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
    says: "it ended with status 0, which means success",
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
    says: "line 5 is `Received: ds will be echoe`, and should be `Received: d`",
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
    says: "what it prints after `Received: ` is `háll`, and should be `hállo`",
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
    says: "it prints pieces of 33 bytes, where the header shows 16 at a time",
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
    says:
      "what it prints after `Received: ` is `TEST MES`, and should be `TEST MESSAGE. THIS HAS BEEN SENT!`",
  },
  {
    exercise: 3,
    did: "reads once",
    gaps: [`${READ}
      const length = await client.read(buffer);
      if (length === null) return;
      log("Received data:", buffer.subarray(0, length));`],
    says: "line 4 is missing: Received data: lient sending da",
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
    says: "line 6 is missing: Received data: ",
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
    says: "a character that a read cut in two is not whole: decode with { stream: true }",
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
    says: "it prints pieces of 48 bytes, where the header shows 16 at a time",
  },
  {
    exercise: 3,
    did: "loops without end at the client's end",
    gaps: [`${READ}
      while (true) {
        const length = await client.read(buffer) ?? 0;
        log("Received data:", buffer.subarray(0, length));
      }`],
    says: "it prints without end: a loop may go on after `read` has returned the end (null)",
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
    says: "the program ended by itself (status 0) after its first client",
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
    says: "the reply is 2048 zeros: it sends a buffer, not the bytes that came",
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
    says: /^it did not print the line: received 6 bytes from /,
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
    says: "it echoes an empty datagram: the original does not",
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
    says: /^it did not print the line: received 0 bytes from /,
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
    says: "the first datagram was answered, and the second was not",
  },
  {
    exercise: 5,
    did: "sends the datagram back as it is",
    gaps: [`
      const [message, clientAddress] = await serverSocket.receive(buffer);
      await serverSocket.send(message, clientAddress);`],
    says: "it came back as it was sent, not in upper case",
  },
  {
    exercise: 5,
    did: "changes the bytes from a to z",
    gaps: [`
      const [message, clientAddress] = await serverSocket.receive(buffer);
      const upper = message.map((byte) => byte >= 97 && byte <= 122 ? byte - 32 : byte);
      await serverSocket.send(upper, clientAddress);`],
    says: "only a to z were put into upper case: `STRAßE` should be `STRASSE`",
  },
  {
    exercise: 5,
    did: "decodes the whole buffer",
    gaps: [`
      const [, clientAddress] = await serverSocket.receive(buffer);
      const text = new TextDecoder().decode(buffer).toUpperCase();
      await serverSocket.send(new TextEncoder().encode(text), clientAddress);`],
    says: "the reply is 2048 zeros: it sends a buffer, not the bytes that came",
  },
  {
    exercise: 5,
    did: "replaces the rest of a character",
    gaps: [`
      const [message, clientAddress] = await serverSocket.receive(buffer);
      const text = new TextDecoder().decode(message).toUpperCase();
      await serverSocket.send(new TextEncoder().encode(text), clientAddress);`],
    says: "the buffer holds only the first half of `é`: leave it out",
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
    says: "the rest of one datagram came with the reply to the next one",
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
    says: /^it does not print: `Received b'another text/,
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
    says: "it prints text, where the sheet shows Python's notation for bytes: b'...'",
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
    says: "it did not ask again, and no reply came: a datagram or its reply may get lost",
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
    says: "it did not ask again: it gave up after one try (status 1)",
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
    says: "it takes its answer from any address: this one came from another than the server's",
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
    says: "the reply to 50 is HIGHER, and should be LOWER: the number is 42",
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
    says: 'it compares text, not numbers: "9" > "42", but 9 < 42',
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
    says: "the reply is `CORRECT`, and should be `INVALID`",
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
    says: "it answers a reply: two such servers would answer each other without end",
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
    says: "the second client has to wait until the first has gone, as with the original",
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
    says: "ConnectionReset: Connection reset by peer (os error 104)",
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
    says: "it waits for more after the whole answer has come: `HELLO`",
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
    says: "it prints `From Server: D�`, and should print `From Server: DÉJÀ VU`",
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
    says: "it ended with status 1: error: a socket was used after it was closed",
  },
  {
    exercise: 10,
    did: "has only receive",
    gaps: [`throw new UserError("TODO: receive a message");`, undefined],
    says: /^no reply came back to .*: the server closed the connection before it/,
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
    says: "it takes 5 bytes, where the length counts characters: `héllo` has 5 and 6 bytes",
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
    says: /^only a part of the message was taken: `Hello!This is a` of /,
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
    says:
      "the server waits for more than the client sent: it may have read the header and the start of the text in one read, and lost that start",
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
    says: "no reply came back to `         4exit`: the server closed the connection before it",
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
    says: "only `exit` itself ends the connection",
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
    says: "the connection is still open after `exit`",
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
    says: /^it printed .*full message received.*, though nothing had come$/,
  },
];
