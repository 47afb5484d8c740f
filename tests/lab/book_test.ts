/** The command `lab book`, and its page in a real browser. */
/// <reference lib="dom" />
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { basename, dirname, join } from "node:path";
import { findSources, originalsOf, readHeader, recordLab } from "../../scripts/lab/book/book.ts";
import type { LabData } from "../../scripts/lab/book/data.ts";
import { loadPage } from "../../scripts/lab/book/page.ts";
import { findLab, labs } from "../../scripts/lab/catalog/labs.ts";
import { scenariosOf } from "../../scripts/lab/book/scenarios.ts";
import { SCRIPTS } from "../../scripts/lab/catalog/header.ts";
import { hasPython } from "../../scripts/lab/process/program.ts";
import { UserError } from "../../scripts/cli.ts";
import { lab, temporary, THOROUGH } from "../helpers.ts";
import {
  click,
  faintTexts,
  marked,
  overlappingTexts,
  pointAt,
  printed,
  roles,
  select,
  showAll,
  shown,
} from "./book_page.ts";
import { openPage, type Page } from "./browser.ts";
import { CHROMIUM } from "./chromium.ts";
import { labHere } from "./in_process.ts";

/** The labs on the page in the browser. The more there are, the more time each test takes. */
const SHOWN = THOROUGH
  ? labs
  : labs.filter(({ name }) => /^(echo_v[123]|upper_tcp|guess)$/.test(name));

const isOnWire = ({ kind }: { kind: string }) => !["line", "note", "call"].includes(kind);
const addressOf = (file: string) =>
  new URL(`file://${Deno.build.os === "windows" ? "/" : ""}${file}`).href;

/** What goes over the wire in a lab's session: sender, kind, bytes. */
const TRAFFIC: Record<string, string[]> = {
  upper_tcp: ["client connect 0", "client data 5", "client end 0", "server data 5", "server end 0"],
  echo_udp: ["client datagram 33", "server datagram 33"],
  echo_v1: ["client connect 0", "client data 6", "server data 6", "server end 0", "client end 0"],
};

/** Recordings in addition to the session: their first traffic, and what is printed. */
const RECORDINGS = [
  {
    name: "guess",
    title: "A lost datagram",
    arrows: ["client datagram 2", "server lost 5", "client datagram 2", "server datagram 5"],
    client: /: 50\nnote: no reply within 2 s: try 2 of 3\nLOWER\n/,
  },
  {
    name: "echo_v3",
    title: "Two messages in one segment",
    arrows: ["client connect 0", "client data 30"],
    server: /message received\nhello\nfull message received\nexit\n/,
  },
  {
    name: "echo_v2",
    title: "A split character",
    arrows: ["client connect 0", "client data 17"],
    server: /grüße\n/,
  },
];

Deno.test("the lab book", async (t) => {
  await using folder = await temporary();
  const file = join(folder.path, "new", "lab-book.html");
  let book: LabData[] = [];
  const shownFile = join(folder.path, "shown.html");
  await t.step("is one file smaller than 1 MB with every lab", async () => {
    const { status, stdout, stderr } = await lab(["book", dirname(file)]);
    assertEquals([status, stderr], [0, ""]);
    assert(stdout.includes(file), stdout);
    assertEquals([...Deno.readDirSync(dirname(file))].length, 1);
    const text = Deno.readTextFileSync(file);
    assert(text.length < 1_000_000);
    book = JSON.parse(text.match(/type="application\/json"[^>]*>(.*?)<\/script>/s)![1]).labs;
    assertEquals(book.map(({ name }) => name), labs.map(({ name }) => name));
    book = book.filter(({ name }) => SHOWN.some((lab) => lab.name === name));
    if (THOROUGH) Deno.copyFileSync(file, shownFile);
    else Deno.writeTextFileSync(shownFile, (await loadPage())(book));
  });
  await t.step({
    name: CHROMIUM ? "in a browser" : "in a browser: skipped without Chromium",
    ignore: !CHROMIUM,
    async fn(t) {
      await using browser = await openPage();
      await testBook(t, folder.path, shownFile, book, browser);
    },
  });
});

async function testBook(
  t: Deno.TestContext,
  folder: string,
  file: string,
  book: LabData[],
  { page, requests, errors }: { page: Page; requests: string[]; errors: string[] },
) {
  const eventsOf = (name: string) => book.find((lab) => lab.name === name)!.recordings[0].events;
  /** A step of `deno task test:all`. */
  const thoroughStep = (name: string, fn: () => Promise<void>) =>
    t.step({ name, fn, ignore: !THOROUGH });
  await page.goto(addressOf(file));

  await t.step("each lab plays to its end and shows the session of its headers", async () => {
    await page.$$eval("section[data-lab]", (sections) => {
      for (const section of sections) {
        const speed = section.querySelector<HTMLSelectElement>('select[aria-label="Speed"]')!;
        speed.append(new Option("50"));
        speed.value = "50";
        section.querySelector<HTMLElement>('button[aria-label="Play"]')!.click();
        if (!section.querySelector('button[aria-label="Pause"]')) throw new Error("not playing");
        speed.value = "1";
      }
    });
    await page.waitForFunction(() =>
      [...document.querySelectorAll("section[data-lab]")].every((section) => {
        const [, at, all] = section.querySelector(".count")!.textContent!.match(/(\d+) of (\d+)/)!;
        return at === all && section.querySelector('button[aria-label="Play"]');
      })
    );
    for (const { name, server, client } of SHOWN) {
      const lab = await shown(page, name);
      assertEquals([lab.server, lab.client], [server.screen, client.screen]);
      assertEquals(lab.arrows.length, eventsOf(name).filter(isOnWire).length);
      if (TRAFFIC[name]) assertEquals(lab.arrows, TRAFFIC[name]);
    }
  });

  await t.step("a step shows a line or draws an arrow, and a step back removes it", async () => {
    for (const { name } of book) {
      const events = eventsOf(name);
      await click(page, name, "Go to the start");
      const states = await click(page, name, "Next step", events.length);
      assertEquals(states[0], { server: "", client: "", arrows: [], position: 0 });
      for (const [i, event] of events.entries()) {
        const [before, after] = [states[i], states[i + 1]];
        for (const role of ["server", "client"] as const) {
          const isHere = event.kind === "line" && event.from === role;
          assertEquals(after[role], before[role] + (isHere ? event.text : ""));
        }
        assertEquals(after.arrows.length - before.arrows.length, isOnWire(event) ? 1 : 0);
        assertEquals(after.position, i + 1);
      }
      assertEquals(await click(page, name, "Previous step", events.length), states.reverse());
    }
  });

  await t.step("keys control the lab on the screen, or the one with the focus", async () => {
    const end = eventsOf("guess").length;
    const focus = (name: string) =>
      page.$eval(
        `[data-lab="guess"] [aria-label="${name}"]`,
        (button) => (button as HTMLElement).focus(),
      );
    await page.$eval('[data-lab="guess"] .player', (player) => player.scrollIntoView());
    const keys = [
      ["ArrowRight", 1],
      ["ArrowRight", 2],
      ["ArrowLeft", 1],
      ["End", end],
      ["ArrowRight", end],
      ["Home", 0],
      ["ArrowLeft", 0],
      ["focus", "Next step"],
      ["Space", 1], // the button acts, and the page does not play
      ["ArrowRight", 2],
      ["focus", "Step"],
      ["ArrowRight", 3], // the slider acts
      ["focus", "Next step"],
      ["End", end],
      ["Space", end],
      ["ArrowLeft", end - 1], // the button at its end has kept the focus
      ["Home", 0],
    ] as const;
    for (const [i, [key, expected]] of keys.entries()) {
      if (key === "focus") await focus(expected as string);
      else {
        await page.keyboard.press(key);
        assertEquals((await shown(page, "guess")).position, expected, `key ${i}: ${key}`);
      }
    }
    const play = () => page.$eval('[data-lab="guess"] .play', ({ textContent }) => textContent);
    await page.evaluate(() => (document.activeElement as HTMLElement).blur());
    await page.keyboard.press("Space");
    assertEquals([(await shown(page, "guess")).position, await play()], [1, "Pause"]);
    await page.keyboard.press("Space");
    assertEquals(await play(), "Play");
  });

  await t.step("a UDP lab has a recording in which a datagram is lost", () => {
    for (const { transport, recordings } of book) {
      const lost = recordings.flatMap(({ events }) => events.filter(({ kind }) => kind === "lost"));
      assertEquals(lost.length, transport === "udp" ? 1 : 0);
    }
  });

  for (const { name, title, arrows, client = /^/, server = /^/ } of RECORDINGS) {
    await t.step(`${name} has the recording "${title}"`, async () => {
      const lab = await select(page, name, title);
      assertEquals(lab.arrows.slice(0, arrows.length), arrows);
      assertMatch(lab.client, client);
      assertMatch(lab.server, server);
    });
  }

  await t.step("the diagram shows what each read returns", async () => {
    const ticks = await page.$$eval(
      '[data-lab="echo_v2"] text.tick.server',
      (texts) => texts.map(({ textContent }) => textContent),
    );
    const reads = ["read 10: ␣␣␣␣␣␣␣␣␣5", "read 5: grü�", "read 2: �e"];
    assertEquals(ticks, ["listen", "accept", ...reads]);
  });

  await t.step("pointing at a line marks it and the arrows that it caused", async () => {
    await click(page, "echo_v1", "Next step", 30);
    await pointAt(page, '[data-lab="echo_v1"] .source.client [data-step="send"]');
    const [arrow, row, ...more] = await marked(page);
    assertEquals(more, []);
    assertMatch(arrow, /^The client sends 6 bytes to the server: Hello!$/);
    assertMatch(row, /send(all)?\(.*\| send \| .*(writeAll|write)\(/);
    await pointAt(page, '[data-lab="echo_v1"] .source.client [data-step="connect"]');
    assertEquals((await marked(page)).slice(0, 2), [
      "The client connects",
      "The client closes its half of the connection (FIN)", // at the end of the `using` block
    ]);
    const stops = await page.$$eval(
      '[data-lab="echo_v1"] .source tr[tabindex]',
      (rows) => rows.map((row) => (row as HTMLElement).dataset.step),
    );
    assertEquals(stops, ["accept", "send", "connect", "send"]);
    assertEquals((await page.$$(".no-right[tabindex]")).length, 0); // lines of the original alone
  });

  await t.step("an arrow shows its bytes when it has the focus or the pointer", async () => {
    const detail = () =>
      page.$eval('[data-lab="echo_v1"] .detail', ({ textContent }) => textContent!);
    const arrow = '[data-lab="echo_v1"] [data-kind="data"]';
    const bytes = /The client sends 6 bytes.*Hello!0000 {2}48 65 6c 6c 6f 21 +Hello!$/;
    await click(page, "echo_v1", "Next step", 30);
    await page.$eval(arrow, (arrow) => (arrow as SVGElement).focus());
    assertMatch(await detail(), bytes);
    assertEquals((await marked(page))[1]?.split(" | ")[1], "send");
    await click(page, "echo_v1", "Previous step");
    assert(!bytes.test(await detail()));
    await pointAt(page, `${arrow} rect`);
    assertMatch(await detail(), bytes);
  });

  await t.step("a lab says what it teaches, what differs and how to run it", async () => {
    const { lesson, copied, selected } = await page.evaluate(async () => {
      const section = document.querySelector('[data-lab="upper_tcp"]')!;
      const copied: string[] = [];
      const writeText = (text: string) => Promise.resolve(void copied.push(text));
      Object.defineProperty(navigator, "clipboard", { value: { writeText }, configurable: true });
      const buttons = [...section.querySelectorAll<HTMLElement>(".command button")];
      for (const button of buttons) button.click();
      Object.defineProperty(navigator, "clipboard", { value: undefined }); // as in some browsers
      buttons[0].click();
      await new Promise((resolve) => setTimeout(resolve));
      const lesson = section.querySelector(".lesson")!.textContent!;
      return { lesson, copied, selected: getSelection()!.toString().trim() };
    });
    const { server, client } = findLab("upper_tcp");
    for (const { summary } of [server, client]) assert(lesson.includes(summary));
    assertMatch(lesson, /Differences from the original:./);
    assertEquals(copied, [
      "deno task demo upper_tcp",
      "deno run -A scripts/upper_server_tcp.ts",
      "deno run -A scripts/upper_client_tcp.ts",
      "deno run -A scripts/upper_server_tcp.ts",
      "deno run -A scripts/netcat.ts 127.0.0.1 8080",
    ]);
    assertEquals(selected, copied[0]);
  });

  await thoroughStep(
    "a screen reader finds every part of the playback by role and name",
    async () => {
      const { named, nameless } = await roles(page);
      assertEquals(nameless, ["status"]); // its text is announced
      const { log, slider, toolbar, status, button, image = 0, img = 0 } = named;
      assertEquals(
        [log, slider, toolbar, status],
        [2, 1, 1, 1].map((count) => count * SHOWN.length),
      );
      assert(image + img > 10 && button >= 9 * SHOWN.length);
      const words = await page.$$eval(
        '[data-lab="echo_v1"] details li',
        (items) => items.map(({ textContent }) => textContent),
      );
      const events = eventsOf("echo_v1");
      assertEquals(words.length, events.length);
      assertEquals(
        words[events.findIndex(({ kind }) => kind === "connect")],
        "The client connects",
      );
    },
  );

  for (const scheme of ["light", "dark"]) {
    await thoroughStep(`every text has AA contrast when the system is ${scheme}`, async () => {
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
      await page.evaluate(showAll);
      assertEquals(await page.evaluate(faintTexts), []);
    });
  }

  await thoroughStep("a print shows all recordings at their end, dark on white", async () => {
    await click(page, "echo_v1", "Go to the start");
    await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
    assertEquals((await shown(page, "echo_v1")).server, findLab("echo_v1").server.screen);
    await page.emulateMediaType("print"); // the scheme is still dark
    const { recordings } = book.find(({ name }) => name === "echo_v2")!;
    const arrows = recordings.map(({ events }) => events.filter(isOnWire).length);
    assertEquals(await printed(page, "echo_v2"), arrows);
    await page.evaluate(() => {
      for (const element of document.querySelectorAll<HTMLElement>("body :not(svg *)")) {
        element.style.background = "#ffffff"; // browsers do not print backgrounds
      }
    });
    assertEquals(await page.evaluate(faintTexts), []);
    await page.evaluate(() => dispatchEvent(new Event("afterprint")));
    assertEquals((await shown(page, "echo_v1")).position, 0);
    assertEquals((await printed(page, "echo_v2")).length, 1);
    await page.emulateMediaType();
  });

  await page.goto(addressOf(file));
  for (const width of [360, 1024, 1920]) {
    await thoroughStep(`nothing overlaps or is cut off at ${width} pixels`, async () => {
      await page.setViewport({ width, height: 800 });
      await page.evaluate(() =>
        new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))
      );
      await page.evaluate(showAll);
      const { scrollWidth, clientWidth } = await page.$eval("html", (html) => ({
        scrollWidth: html.scrollWidth,
        clientWidth: html.clientWidth,
      }));
      assertEquals(scrollWidth, clientWidth);
      assertEquals(await page.evaluate(overlappingTexts), []);
    });
  }

  await t.step("nothing moves when the system asks for reduced motion", async () => {
    await click(page, "echo_v2", "Next step", 60);
    for (const [motion, expected] of [["no-preference", "draw"], ["reduce", "none"]]) {
      await page.emulateMediaFeatures([{ name: "prefers-reduced-motion", value: motion }]);
      const animation = await page.$eval(
        '[data-lab="echo_v2"] .latest .shaft',
        (shaft) => getComputedStyle(shaft).animationName,
      );
      assertEquals(animation, expected);
    }
  });

  await t.step("the page requests nothing and logs no error", () => {
    assertEquals(errors, []);
    assertEquals(new Set(requests), new Set([addressOf(file)]));
  });

  const isPython = await hasPython();
  await t.step({
    name: isPython
      ? "a recording of the original pair lights the lines of the originals"
      : "a recording of the original pair: skipped without Python",
    ignore: !isPython || !THOROUGH,
    fn: () => testOriginals(folder, page),
  });

  await t.step("a submission takes the place of an original", () => testSubmission(folder, page));

  await t.step("markup in messages, output and prose stays text", async () => {
    const evil = `</script><script>document.title = "evil"</script><img src=x onerror=alert()>`;
    const data = await recordLab(labs[0], findSources(""), [
      { title: evil, about: evil, more: [`--message=${evil}`] },
    ]);
    data.course = evil;
    const { server } = data.scripts;
    server.teaches.push(evil);
    server.differences.push({ title: evil, items: [evil] });
    server.lines.push({ left: evil, right: evil, step: "print", rightRow: 1 });
    await Deno.writeTextFile(`${folder}/evil.html`, (await loadPage())([data]));
    await page.goto(addressOf(`${folder}/evil.html`));
    const lab = (await click(page, data.name, "Next step", 50)).at(-1)!;
    assert(lab.server.includes(`Data: ${evil}\n`), lab.server);
    assert(lab.arrows.includes(`client data ${evil.length}`));
    const found = await page.evaluate(() => ({
      title: document.title,
      scripts: document.scripts.length,
      images: document.images.length,
      arrow: document.querySelector('[data-kind="data"]')!.getAttribute("aria-label"),
    }));
    assertEquals(found, {
      title: "Socket labs: the lab book",
      scripts: 2,
      images: 0,
      arrow: `The client sends ${evil.length} bytes to the server: ${evil}`,
    });
    assertEquals(errors, []);
  });
}

/** Records a lab with files next to its scripts, opens the book, and plays their recording to its end. */
async function playOriginals(folder: string, page: Page, name: string, sources: Sources) {
  const lab = findLab(name);
  const scenario = originalsOf(lab, sources)!;
  const data = await recordLab(lab, sources, [...scenariosOf(lab).slice(0, 1), scenario]);
  await Deno.writeTextFile(`${folder}/originals.html`, (await loadPage())([data]));
  await page.goto(addressOf(`${folder}/originals.html`));
  const shown = await select(page, name, scenario.title);
  return { scenario, shown };
}

type Sources = ReturnType<typeof findSources>;

async function testOriginals(folder: string, page: Page) {
  const sources = findSources(`${SCRIPTS}lab/counterparts`); // they have the names of originals
  const { scenario, shown } = await playOriginals(folder, page, "echo_v1", sources);
  assertEquals(scenario.title, "The original pair");
  assertEquals(shown.arrows, TRAFFIC.echo_v1);
  await click(page, "echo_v1", "Go to the start");
  const lit = await page.evaluate(() => {
    const next = document.querySelector<HTMLElement>('[aria-label="Next step"]')!;
    return Array.from({ length: 30 }, () => {
      next.click();
      return Array.from(document.querySelectorAll(".current .left"), (cell) => cell.textContent!);
    }).flat();
  });
  for (const call of [/\.accept\(/, /\.recv\(/, /\.send(all)?\(/, /\.connect\(/]) {
    assert(lit.some((line) => call.test(line)), `${call} in ${lit.join("\n")}`);
  }
  await select(page, "echo_v1", "The session");
  await pointAt(page, '[data-lab="echo_v1"] .source.client [data-step="connect"]');
  assert((await marked(page)).includes("The client connects"));
}

async function testSubmission(folder: string, page: Page) {
  const file = `${folder}/echo_server_v1.js`;
  const source = `
const listener = Deno.listen({ hostname: "127.0.0.1", port: 1235 });
for await (const client of listener) {
  const buffer = new Uint8Array(1024);
  const length = await client.read(buffer);
  await client.write(buffer.subarray(0, length));
  client.close();
}
`;
  await Deno.writeTextFile(file, source);
  const sources = findSources("").set("echo_server_v1.ts", { file, kind: "file" });
  const { scenario, shown } = await playOriginals(folder, page, "echo_v1", sources);
  assertEquals(scenario.title, "echo_server_v1.js and echo_client_v1.ts");
  assertMatch(shown.client, /Hello!\n$/);
  await pointAt(page, '[data-lab="echo_v1"] [data-kind="data"][data-from="server"] rect');
  const lines = await page.$$eval("tr.marked .left", (cells) => cells.map((e) => e.textContent));
  assertEquals(lines, ["  await client.write(buffer.subarray(0, length));"]);
}

Deno.test("lab book asks for the lab of a file whose name does not say it", async () => {
  await using folder = await temporary();
  await Deno.writeTextFile(`${folder.path}/mine.ts`, "");
  const args = ["book", `${folder.path}/new`, `--server=${folder.path}/mine.ts`];
  const { status, stderr } = await labHere(args);
  assertEquals(status, 2);
  assertMatch(
    stderr,
    /^error: --as=LAB is missing: .*mine\.ts does not have the name of a server script\n/,
  );
});

Deno.test("lab book fails when the folder of the originals does not exist", async () => {
  await using folder = await temporary();
  const { status, stderr } = await labHere(["book", folder.path, "--originals=/no/such/folder"]);
  assertEquals([status, stderr], [1, "error: /no/such/folder: no such folder\n"]);
  assertEquals([...Deno.readDirSync(folder.path)], []);
});

const SERVER = "s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)\ns.listen()\n";
const SOURCES: [what: string, files: Record<string, string>, script: string, found: RegExp][] = [
  ["takes the original", {}, "echo_server_v1.ts", /^echoserver\.py$/],
  ["says that an original is missing", {}, "echo_client_v1.ts", /: no echoclient\.py or /],
  [
    "says that an original is ambiguous",
    { "a/echoclient.py": "1", "b/echoclient.py": "2" },
    "echo_client_v1.ts",
    /: .*a\/echoclient\.py and .*b\/echoclient\.py both fit$/,
  ],
  [
    "takes a server.py that prints what the lab prints",
    { "server.py": `${SERVER}print(f"Received data: {data}")` },
    "tcp_server.ts",
    /^server\.py$/,
  ],
  [
    "does not take a server.py that prints something else",
    { "server.py": `${SERVER}print("Welcome")` },
    "tcp_server.ts",
    /server\.py is not from this lab$/,
  ],
  [
    "does not take a server.py without a socket",
    { "server.py": 'app.run(8000)\nprint("Waiting for connection")' },
    "tcp_server.ts",
    /server\.py is not from this lab$/,
  ],
];

for (const [what, files, script, found] of SOURCES) {
  Deno.test(`findSources() ${what}`, async () => {
    await using folder = await temporary();
    for (const [name, source] of Object.entries({ "echoserver.py": SERVER, ...files })) {
      Deno.mkdirSync(dirname(`${folder.path}/${name}`), { recursive: true });
      Deno.writeTextFileSync(`${folder.path}/${name}`, source);
    }
    const { file, kind, problem } = findSources(folder.path).get(script)!;
    assertEquals(kind === "counterpart", problem !== undefined);
    assertMatch(problem ?? basename(file), found);
  });
}

Deno.test("findSources() refuses a folder without any original", async () => {
  await using folder = await temporary();
  assertThrows(() => findSources(folder.path), UserError, "contains no original of any lab");
});

Deno.test("readHeader() finds the prose and the lists", () => {
  const header = `/**
 * First
 * paragraph.
 *
 * Mirrors \`x.py\` (course).
 *
 * Differences from the original:
 * - one
 *   more
 * - two
 *
 * Last.
 *
 * @module
 */
`;
  assertEquals(readHeader(header), {
    teaches: ["First paragraph.", "Last."],
    differences: [{ title: "Differences from the original:", items: ["one more", "two"] }],
  });
});
