/**
 * The exercise of the lab practical12_tcp: several clients.
 *
 * @module
 */
import type { Exercise } from "../exercise.ts";

/** Two clients at the same time. */
export const PRACTICAL12_TCP: Exercise = {
  script: "practical12_server_tcp",
  title: "two clients at the same time",
  task: [
    "This echo server works, but it serves one client at a time, as the Python original does. " +
    "While one client is connected and says nothing, all others have to wait. A client that " +
    "resets its connection even ends the server.",
    "Change the server, so that it serves all clients at the same time, and an error with one " +
    "client ends only that client's connection.",
  ],
  done: "It is done when a second client gets its echo, while a first one is connected and waits " +
    "for you to type.",
  first: "start the server and two clients, and type something only in the second one",
  gaps: [{
    from: "const client = await listener.accept();",
    stub: `
      const client = await listener.accept();
      // TODO: The next client has to wait until this one has left. Serve both at the same time.
      // TODO: An error with this client ends the server. It must end only this connection.
      log("Connected by", client.remoteAddr);
      const buffer = new Uint8Array(bufferSize);
      while (true) {
        const length = await client.read(buffer);
        if (length === null) break;
        const data = buffer.subarray(0, length);
        if (!quiet) print("Received", repr(data));
        await writeAll(client, data);
      }
      client.close();`,
  }],
  hints: [
    "While the inner loop runs, the server does not come back to `accept`. Put the code for one " +
    "client into an async function. What happens if the outer loop calls it with `await`?",
    "Call the function without `await`. It runs until its first `await` has to wait. Then the " +
    "outer loop goes on, and accepts the next client.",
    "Your program does not wait for that function, so an error in it ends the program. " +
    "Catch errors inside it, and close the connection in any case.",
    "lib.ts has a function that does this: `serveClient(client, async () => { ... })` runs your " +
    "code for one client, reports its errors, and closes the connection.",
  ],
  required: [
    "two clients at the same time",
    "a client that resets its connection, and the next one",
  ],
};
