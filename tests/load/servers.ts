/** Every server of the labs: what it prints and what it replies. */
import { withHeader } from "../helpers.ts";

/** What a server prints and what it replies. */
export interface Server {
  /** The lines of the transcript before the first client. */
  first: string[];
  /** The lines for each client. PEER is its address; TEXT, BYTES and SIZE are what it sent. */
  each: string[];
  /** Returns a text that this server understands, different for each n. Default: any text. */
  makeText?: (n: number) => string;
  /** Returns what a client sends for a text. Default: the text. */
  encodeText?: (text: string) => string;
  /** Returns the reply. Default: what was sent. */
  reply?: (sent: string) => string;
  /** Whether the server reads only once from each client. */
  readsOnce?: true;
}

const WAITING = "Waiting to receive message from client";
const LISTENING = { first: ["Listening.."], each: ["Connection Address is:  PEER", "TEXT"] };
const UPPER = {
  first: ["The server is ready to receive"],
  each: [],
  reply: (sent: string) => sent.toUpperCase(),
};

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
  "echo_server_v2.ts": { ...LISTENING, encodeText: withHeader },
  "echo_server_v3.ts": {
    first: ["Listening.."],
    each: [
      "Connection Address is:  PEER",
      ...["full message received", "TEXT", "full message received", "exit"],
      "Finished serving client:  PEER",
    ],
    encodeText: (text) => withHeader(text) + withHeader("exit"),
  },
  "guess_server.ts": {
    first: ["Starting up guess server on localhost port PORT", "Waiting for guesses"],
    each: ["PEER guessed TEXT: VERDICT"],
    makeText: (n) => [`${1000 + n}`, `-${n}`, `n${n}`][n % 3],
    reply: (sent) => /^\d/.test(sent) ? "LOWER" : /^-\d/.test(sent) ? "HIGHER" : "INVALID",
  },
  "practical12_server_tcp.ts": { first: [], each: ["Connected by PEER", "Received BYTES"] },
  "practical12_server_udp.ts": { first: [], each: ["Received BYTES from PEER"] },
  "tcp_server.ts": {
    first: ["Waiting for connection"],
    each: [
      "Connected to client IP: PEER",
      ...["Received data: TEXT", "Received data: ", "Waiting for connection"],
    ],
    reply: () => "",
  },
  "upper_server_tcp.ts": UPPER,
  "upper_server_udp.ts": UPPER,
};

export const isUdp = (script: string) => /udp|guess/.test(script);
