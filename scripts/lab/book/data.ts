/**
 * What the lab book's page is made of: book.ts gathers it, and main.ts shows it.
 *
 * @module
 */
import type { Row } from "../originals/align.ts";
import type { Role as Role } from "../catalog/header.ts";
import type { TraceEvent } from "../trace/words.ts";

/** All of the page's data. */
export interface BookData {
  /** The day of the recordings, and the version of Deno. */
  made: string;
  /** The labs, in the page's order. */
  labs: LabData[];
}

/** A lab. */
export interface LabData {
  /** The lab's name. */
  name: string;
  /** The protocol that its programs use. */
  transport: "tcp" | "udp";
  /** The course that it belongs to. */
  course: string;
  /** Its two scripts. */
  scripts: Record<Role, ScriptData>;
  /** Its recordings. */
  recordings: RecordingData[];
  /** How to run it. */
  ways: WayData[];
}

/** A script with its original. */
export interface ScriptData {
  /** The script's file name. */
  name: string;
  /** The original's file name. */
  original: string;
  /** Whether our counterpart is shown, because there is no original. */
  isCounterpart: boolean;
  /** What the script's header says about it, in paragraphs. */
  teaches: string[];
  /** How the script differs from the original, in lists with titles. */
  differences: { title: string; items: string[] }[];
  /** The lines of both, aligned, with the script's line numbers. */
  lines: (Row & { row?: number })[];
}

/** A recording of a lab. */
export interface RecordingData {
  /** Its name. */
  title: string;
  /** What there is to see. */
  about: string;
  /** The commands that ran. */
  commands: Record<Role, string>;
  /** What happened, in order. */
  events: EventData[];
}

/** A trace event, with its bytes as hexadecimal digits. */
export interface EventData extends Omit<TraceEvent, "data"> {
  /** The bytes, two digits each. */
  hex?: string;
}

/** A way to run a lab. */
export interface WayData {
  /** What it is, as a title. */
  title: string;
  /** The commands to type. */
  commands: string[];
}
