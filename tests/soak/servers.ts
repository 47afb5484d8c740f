/** Every server of the labs: what it prints, and what it answers. */
import { withHeader } from "../helpers.ts";

/** What a server prints, and what it answers. */
export interface Server {
  /** Lines that stand in the transcript before the first client. */
  first: string[];
  /** Lines that a client adds: PEER is its address, TEXT, BYTES and SIZE what it sent. */
  each: string[];
  /** What a client says, where any text would not do; n is different each time. */
  says?: (n: number) => string;
  /** How that goes over the wire, where it is not as it is. */
  wire?: (text: string) => string;
  /** What comes back for it; the same when left out. */
  answer?: (sent: string) => string;
  /** Whether it reads but once from a client. */
  readsOnce?: true;
}

const WAITING = "Waiting to receive message from client";
const LISTENING = { first: ["Listening.."], each: ["Connection Address is:  PEER", "TEXT"] };
const UPPER = {
  first: ["The server is ready to receive"],
  each: [],
  answer: (sent: string) => sent.toUpperCase(),
};

/** Every server of the labs. */
export const SERVERS: Record<string, Server> = {
  "echo_server.ts": {
    first: ["Starting up echo server on localhost port PORT", WAITING],
    each: ["Data: TEXT", "sent TEXT bytes back to PEER", WAITING],
    readsOnce: true,
  },
  "echo_server_udp.ts": {
    first: ["Starting up echo server on localhost port PORT", WAITING],
    each: ["received SIZE bytes from PEER", "Data: TEXT", "sent SIZE bytes back to PEER", WAITING],
  },
  "echo_server_v1.ts": { ...LISTENING, readsOnce: true },
  "echo_server_v2.ts": { ...LISTENING, wire: withHeader },
  "echo_server_v3.ts": {
    first: ["Listening.."],
    each: [
      "Connection Address is:  PEER",
      ...["full message received", "TEXT", "full message received", "exit"],
      "Finished serving client:  PEER",
    ],
    wire: (text) => withHeader(text) + withHeader("exit"),
  },
  "guess_server.ts": {
    first: ["Starting up guess server on localhost port PORT", "Waiting for guesses"],
    each: ["PEER guessed TEXT: VERDICT"],
    says: (n) => [`${1000 + n}`, `-${n}`, `n${n}`][n % 3],
    answer: (sent) => /^\d/.test(sent) ? "LOWER" : /^-\d/.test(sent) ? "HIGHER" : "INVALID",
  },
  "practical12_server_tcp.ts": { first: [], each: ["Connected by PEER", "Received BYTES"] },
  "practical12_server_udp.ts": { first: [], each: ["Received BYTES from PEER"] },
  "tcp_server.ts": {
    first: ["Waiting for connection"],
    each: [
      "Connected to client IP: PEER",
      ...["Received data: TEXT", "Received data: ", "Waiting for connection"],
    ],
    answer: () => "",
  },
  "upper_server_tcp.ts": UPPER,
  "upper_server_udp.ts": UPPER,
};

export const isUdp = (script: string) => /udp|guess/.test(script);
