/**
 * The messages between the page of `lab live` and the process that runs the programs.
 *
 * @module
 */
import type { EventData, ScriptData } from "../book/data.ts";
import type { Role } from "../catalog/header.ts";

/** What takes a role: our script, its counterpart in Python, or a file of the user. */
export type Choice =
  | { kind: "script" }
  | { kind: "counterpart" }
  | { kind: "file"; file: string };

/** What a user can do to a segment or a datagram. */
export const ACTIONS = ["drop", "duplicate", "delay", "split"] as const;
/** The name of a fault of the network, as netem has it. */
export type Action = typeof ACTIONS[number];

/** A fault, with the milliseconds of a delay or the bytes of the first part of a split. */
export interface Fault {
  /** What it is. */
  action: Action;
  /** Its amount; by default half a second, or half of the bytes. */
  amount?: number;
}

/** A lab in the list. */
export interface LabEntry {
  /** Its name. */
  name: string;
  /** What its programs speak. */
  transport: "tcp" | "udp";
  /** The course that it belongs to. */
  course: string;
}

/** What takes a role, as the page shows it. */
export interface HalfData {
  /** What it is. */
  choice: Choice;
  /** Its arguments, as a user types them. */
  args: string;
  /** Its source, next to that of our script. */
  source: ScriptData;
  /** The column of the source whose lines run. */
  side: Side;
  /** The lines that the session in the header types. */
  typed: string[];
}

/** A column of the sources: the original's or the script's. */
export type Side = "left" | "right";

/** What a program does. */
export type Status = "stopped" | "starting" | "running";

/** A program, as the page shows it. */
export interface ProgramData {
  /** Its role. */
  role: Role;
  /** The client's number, from 1 up; 1 for the server. */
  id: number;
  /** What it does. */
  status: Status;
  /** The command that starts it. */
  command: string;
}

/** The lines at which a program waits, or else the one that did something last. */
export interface LinesAtWork {
  /** The program's role. */
  role: Role;
  /** The client's number, from 1 up; 1 for the server. */
  id: number;
  /** The numbers of the lines. */
  rows: number[];
}

/** A segment or a datagram that is held under way. */
export interface HeldData {
  /** Its number. */
  id: number;
  /** The sender. */
  from: Role;
  /** The number of the client that sends or gets it. */
  client: number;
  /** Its bytes as text. */
  text: string;
  /** How many bytes it has. */
  length: number;
}

/** The faults that wait for traffic. */
export interface FaultsData {
  /** What happens to the next segments or datagrams of each sender, in order. */
  next: (Fault & { from: Role })[];
  /** Whether all that passes is held. */
  isHolding: boolean;
  /** The share of what is lost, from 0 to 1. */
  loss: number;
  /** What is held. */
  held: HeldData[];
}

/** A message to the page. */
export type ToPage =
  | { type: "labs"; labs: LabEntry[] }
  | { type: "lab"; lab: LabEntry; halves: Record<Role, HalfData>; faults: FaultsData }
  | { type: "half"; role: Role; half: HalfData }
  | { type: "programs"; programs: ProgramData[] }
  | { type: "events"; events: EventData[]; lines: LinesAtWork[] }
  | { type: "faults"; faults: FaultsData }
  | { type: "kept"; name: string; text: string }
  | { type: "message"; text: string };

/** A message from the page. */
export type FromPage =
  | { type: "shown" } // the last events; only then it gets more
  | { type: "lab"; name: string }
  | { type: "choose"; role: Role; choice: Choice; args?: string }
  | { type: "start"; role: Role; id: number }
  | { type: "startAll" }
  | { type: "stop"; role: Role; id: number }
  | { type: "addClient" }
  | { type: "removeClient"; id: number }
  | { type: "type"; role: Role; id: number; line: string }
  | { type: "endInput"; role: Role; id: number }
  | { type: "next"; from: Role; fault: Fault }
  | { type: "hold"; isHolding: boolean }
  | { type: "release"; id: number; fault?: Fault }
  | { type: "loss"; share: number }
  | { type: "keep"; as: "page" | "text" };
