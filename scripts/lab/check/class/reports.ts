/**
 * Writes a report for each student.
 *
 * @module
 */
import { join } from "node:path";
import { UserError } from "../../../cli.ts";
import { exists, isFile, readText, writeWhole } from "../../terminal/files.ts";
import { safe, type SafeText } from "../../terminal/output.ts";
import type { Submitted } from "../check.ts";
import { asTap, pointsAsTap, VERSION } from "../formats/tap.ts";
import { pointsOf, type Result } from "../result.ts";

const MARK = "# Report of lab check"; // the first line of each report
const MAX_NAME = 80; // characters
/** Names that Windows keeps for devices. */
const DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)$/i;

/**
 * Chooses the file for each student's report, and makes the folder.
 *
 * @param folder The folder.
 * @param submissions The students' files.
 * @returns The path of the report for each file.
 * @throws {UserError} There is a file with this name that is not a report, or the folder is not one.
 */
export function prepareReports(folder: string, submissions: Submitted[]): Map<string, string> {
  Deno.mkdirSync(folder, { recursive: true });
  const students = [...new Set(submissions.map(({ student, file }) => student || file))];
  const names = fileNames(students);
  const paths = new Map(students.map((student, i) => [student, join(folder, names[i])]));
  for (const path of paths.values()) {
    if (exists(path) && !(isFile(path) && readText(path).startsWith(MARK))) {
      throw new UserError(`${path} is there already, and is not a report: nothing was checked`);
    }
  }
  return new Map(submissions.map(({ student, file }) => [file, paths.get(student || file)!]));
}

/** Writes the reports. */
export function writeReports(paths: Map<string, string>, results: Result[]) {
  for (const path of new Set(paths.values())) {
    const own = results.filter(({ file }) => paths.get(file) === path);
    const points = own.map((result) =>
      safe`# ${result.script}: ${pointsOf(result)} of ${result.checks.length} points\n`
    );
    writeWhole(path, safe`${MARK}\n${points}${asReport(own)}`.text);
  }
}

/** Returns what `lab check` prints for a file, and for several what it prints for them together. */
function asReport(results: Result[]): SafeText {
  const [result, ...others] = results;
  return others.length > 0
    ? asTap(results)
    : safe`${VERSION}# ${result.file} as ${result.script}\n${pointsAsTap(result)}`;
}

/** Returns names for files on all systems, no two of which are the same in other cases or accents. */
export function fileNames(students: string[]): string[] {
  const taken = new Set<string>();
  return students.map((student) => {
    const plain = [...student.normalize("NFC").replace(/[^\p{L}\p{M}\p{N} ._()-]/gu, "_")]
      .slice(0, MAX_NAME).join("").replace(/^[ .-]+|[ .]+$/g, "") || "report";
    const name = DEVICE.test(plain.split(".")[0]) ? `_${plain}` : plain;
    const key = (text: string) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
    let unique = name;
    for (let n = 2; taken.has(key(unique)); n++) unique = `${name} ${n}`;
    taken.add(key(unique));
    return `${unique}.txt`;
  });
}
