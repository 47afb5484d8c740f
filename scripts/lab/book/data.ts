/**
 * What the lab book's page is made of: book.ts gathers it, and main.ts shows it.
 *
 * @module
 */
import type { Row } from "../originals/align.ts";
import type { Role } from "../catalog/header.ts";
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

/** What is shown next to a script. A file is one that the user chose. */
export type SourceKind = "original" | "counterpart" | "file";

/** A script with its original. */
export interface ScriptData {
  /** The script's file name. */
  name: string;
  /** The file name of what is shown next to it. */
  original: string;
  /** What that is. */
  kind: SourceKind;
  /** What the script's header says about it, in paragraphs. */
  teaches: string[];
  /** How the script differs from the original, in lists with titles. */
  differences: { title: string; items: string[] }[];
  /** The lines of both, aligned. */
  lines: Row[];
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
  /** The roles that the program next to the script took: their events name its lines. */
  others?: Role[];
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
