/**
 * Reports in the XML of JUnit, which most CI systems show.
 *
 * @module
 */
import { escapeText } from "../../../cli.ts";
import { multiline, type SafeText } from "../../terminal/output.ts";
import type { Finding } from "../check_run.ts";
import { outcomeOf, type Result, shorten, stateOf } from "../result.ts";

/**
 * Returns the report: a suite for each file, a case for each check. A check that was not reached is
 * skipped. The first of them is an error if the file is incomplete or cannot be checked: it is not ok.
 */
export function asJunit(results: Result[]): SafeText {
  const suites = results.map((result) => ({ result, cases: casesOf(result) }));
  const all = suites.flatMap(({ cases }) => cases);
  const xml = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="lab check"${counts(all)}>`,
    ...suites.flatMap(({ result, cases }) => [
      `  <testsuite name=${quoted(nameOf(result))}${counts(cases)} skipped="${
        cases.filter(({ kind }) => kind === "skipped").length
      }" time="${result.seconds.toFixed(1)}">`,
      ...cases.map(({ xml }) => xml),
      "  </testsuite>",
    ]),
    "</testsuites>",
    "",
  ];
  return multiline(xml.join("\n"));
}

/** A check as XML. */
interface Case {
  kind: "passed" | "failure" | "error" | "skipped";
  xml: string;
}

function casesOf(result: Result): Case[] {
  const isUnsure = outcomeOf(result) === "incomplete" || result.error !== undefined;
  const first = result.checks.find((finding) => stateOf(finding) === "not reached");
  const kinds = { passed: "passed", failed: "failure", "not reached": "skipped" } as const;
  return result.checks.map((finding) => {
    const isError = isUnsure && finding === first;
    const kind = isError ? "error" : kinds[stateOf(finding)];
    const start = `    <testcase classname=${quoted(nameOf(result))} name=${quoted(finding.what)}`;
    if (kind === "passed") return { kind, xml: `${start}/>` };
    const text = isError && result.error || finding.problem || finding.skipped!;
    const message = quoted(text.split("\n")[0]);
    const body = kind === "failure" ? `>${escaped(detailOf(finding))}</failure>` : "/>";
    const type = kind === "skipped" ? "" : ` type="${kind}"`;
    return { kind, xml: `${start}><${kind} message=${message}${type}${body}</testcase>` };
  });
}

function nameOf({ student, file }: Result): string {
  return student === "" ? file : `${student}: ${file}`;
}

/** Returns what a failure shows below its first line. */
function detailOf({ problem, expected, actual, exchange }: Finding): string {
  return Object.entries({ problem, expected, actual, exchange })
    .flatMap(([name, text]) => {
      if (text === undefined) return [];
      return name === "problem" ? shorten(text) : `${name}:\n${shorten(text)}`;
    }).join("\n");
}

function counts(cases: Case[]): string {
  const count = (kind: Case["kind"]) => cases.filter((one) => one.kind === kind).length;
  return ` tests="${cases.length}" failures="${count("failure")}" errors="${count("error")}"`;
}

/** Returns text for XML. Characters that XML does not know are written as escapes. */
function escaped(text: string): string {
  const entities: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
  };
  return text.split("\n").map(escapeText).join("\n").toWellFormed()
    .replace(/[&<>"]/g, (character) => entities[character]);
}

function quoted(text: string): string {
  return `"${escaped(text).replaceAll("\n", " ")}"`;
}
