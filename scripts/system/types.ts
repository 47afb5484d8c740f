/**
 * What is known about a socket and a process.
 *
 * @module
 */

/** The protocol of a socket. */
export type Protocol = "TCP" | "UDP";

/** One end of a connection. */
export interface Endpoint {
  /** Its IP address. */
  hostname: string;
  /** Its port. */
  port: number;
}

/** A socket of this machine. */
export interface Socket extends Endpoint {
  /** TCP or UDP. */
  protocol: Protocol;
  /**
   * `listening`: accepts TCP connections, or receives datagrams from any peer.
   * `connected`: has one peer.
   * `timeWait`: a closed TCP connection that the system keeps for a while. No process has it.
   */
  state: "listening" | "connected" | "timeWait";
  /** The other end of a connection. */
  peer?: Endpoint;
  /** Seconds until the system forgets a closed connection, when it says so. */
  secondsLeft?: number;
  /** The process that has the socket open. Missing when it is hidden, or not asked for. */
  pid?: number;
  /** The name of the process's program, as the program itself or the system gives it. */
  program?: string;
}

/** A running process. */
export interface Process {
  /** The process that started it. */
  parent: number;
  /** The name of its program. */
  program: string;
  /** Its CPU time and that of its finished children, in clock ticks. Only Linux fills it in. */
  cpuTicks: number;
}

/** Running, stopped (by Ctrl-Z for example), or ended. */
export type ProcessState = "running" | "stopped" | "ended";
