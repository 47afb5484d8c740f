/** The lab book, in a real browser. */
/// <reference lib="dom" />
import { assert, assertEquals, assertMatch } from "@std/assert";
import { entryOf, pageOf } from "../../scripts/lab/book.ts";
import { labs } from "../../scripts/lab/names.ts";
import { record } from "../../scripts/lab/recording.ts";
import { BROWSER, Page } from "./browser.ts";
import { resultOf, SCRIPTS } from "../helpers.ts";
import { DENO_RUN, Program } from "../../scripts/lab/program.ts";

/** A step of a recording, as the page has it. */
interface Step {
  kind: string;
  from: "server" | "client";
  text: string;
  call?: string;
  hex?: string;
  row?: number;
}

interface Entry {
  name: string;
  recordings: { title: string; steps: Step[] }[];
}

const isWire = ({ kind }: Step) => !["line", "note", "call"].includes(kind);

/** The data in a page. */
function entriesIn(page: string): Entry[] {
  return JSON.parse(page.match(/type="application\/json"[^>]*>(.*?)<\/script>/s)![1]).labs;
}

function addressOf(file: string): string {
  return new URL(`file://${Deno.build.os === "windows" ? "/" : ""}${file}`).href;
}

/** Presses a button of a lab so many times. */
const click = (page: Page, lab: string, name: string, times = 1) =>
  page.evaluate(
    (lab, name, times) => {
      const selector = `[data-lab="${lab}"] button[aria-label="${name}"]`;
      for (let i = 0; i < times; i++) document.querySelector<HTMLElement>(selector)!.click();
    },
    lab,
    name,
    times,
  );

/** What a lab's stage shows: the terminals' text, and the arrows. */
const stage = (page: Page, lab: string) =>
  page.evaluate((lab) => {
    const section = document.querySelector(`[data-lab="${lab}"]`)!;
    const text = (half: string) => section.querySelector(`[data-terminal="${half}"]`)!.textContent;
    return {
      server: text("server"),
      client: text("client"),
      arrows: [...section.querySelectorAll<SVGGElement>("g[data-event]")].map(({ dataset }) =>
        `${dataset.from} ${dataset.kind} ${dataset.bytes}`
      ),
      count: section.querySelector(".count")!.textContent,
    };
  }, lab);

/** Chooses one of a lab's recordings. */
const choose = (page: Page, lab: string, title: string) =>
  page.evaluate(
    (lab, title) => {
      const buttons = document.querySelectorAll<HTMLElement>(`[data-lab="${lab}"] button`);
      [...buttons].find(({ textContent }) => textContent === title)!.click();
    },
    lab,
    title,
  );

/** Texts whose contrast with what is behind them is less than WCAG's AA wants. */
function faintTexts(): string[] {
  const parse = (colour: string) => colour.match(/[\d.]+/g)!.map(Number);
  const luminance = (colour: number[]) => {
    const [r, g, b] = colour.slice(0, 3).map((value) => value / 255)
      .map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const background = (element: Element): number[] => {
    const rect = element.tagName === "text" && element.parentElement!.querySelector("rect");
    for (const from of [rect, element, ...ancestors(element)]) {
      if (!from) continue;
      const style = getComputedStyle(from);
      const colour = parse(from === rect ? style.fill : style.backgroundColor);
      if ((colour[3] ?? 1) === 1) return colour;
      if (colour[3] > 0) throw new Error("a colour that is half transparent");
    }
    return [255, 255, 255];
  };
  function* ancestors(element: Element) {
    for (let up = element.parentElement; up; up = up.parentElement) yield up;
  }
  const faint = new Set<string>();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode());) {
    const element = node.parentElement!;
    if (!node.nodeValue!.trim() || ["SCRIPT", "NOSCRIPT", "OPTION"].includes(element.tagName)) {
      continue;
    }
    const style = getComputedStyle(element);
    const colour = parse(element.tagName === "text" ? style.fill : style.color);
    const [a, b] = [luminance(colour), luminance(background(element))].sort((x, y) => y - x);
    const contrast = (a + 0.05) / (b + 0.05);
    if (contrast < 4.5) faint.add(`${contrast.toFixed(2)} ${element.outerHTML.slice(0, 80)}`);
  }
  return [...faint];
}

Deno.test({
  name: BROWSER
    ? "the lab book in a browser"
    : "the lab book in a browser: left out, there is no Chromium here",
  ignore: !BROWSER,
  async fn(t) {
    const folder = await Deno.makeTempDir();
    try {
      await testBook(t, folder);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

async function testBook(t: Deno.TestContext, folder: string) {
  const file = `${folder}/new/lab-book.html`;
  await t.step("lab book writes one file below 1 MB, with every lab in it", async () => {
    const command = [...DENO_RUN, "-A", `${SCRIPTS}lab.ts`, "book", `${folder}/new`];
    await using program = new Program(command);
    const { status, stdout, stderr } = await resultOf(program, 60);
    assertEquals(status, 0, stderr);
    assert(stdout.includes(file), stdout);
    assertEquals([...Deno.readDirSync(`${folder}/new`)].length, 1);
    assert(Deno.statSync(file).size < 1_000_000);
    const names = entriesIn(Deno.readTextFileSync(file)).map(({ name }) => name);
    assertEquals(names, labs.map(({ name }) => name));
  });
  const book = entriesIn(Deno.readTextFileSync(file));

  await using page = await Page.open();
  await page.resize(1280, 900);
  await page.go(addressOf(file));

  await t.step("every lab plays to its end, and shows the headers' transcripts", async () => {
    await page.evaluate(async () => {
      const sections = [...document.querySelectorAll("section[data-lab]")];
      for (const section of sections) {
        const speed = section.querySelector<HTMLSelectElement>('select[aria-label="Speed"]')!;
        speed.value = "8";
        section.querySelector<HTMLElement>('button[aria-label="Play"]')!.click();
        if (!section.querySelector('button[aria-label="Pause"]')) throw new Error("no pause");
      }
      const isOver = (section: Element) => {
        const [, at, all] = section.querySelector(".count")!.textContent!.match(/(\d+) of (\d+)/)!;
        return at === all && section.querySelector('button[aria-label="Play"]');
      };
      for (let tries = 0; !sections.every(isOver); tries++) {
        if (tries > 600) throw new Error("it does not end");
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    });
    for (const { name, server, client } of labs) {
      const shown = await stage(page, name);
      assertEquals(shown.server, server.screen);
      assertEquals(shown.client, client.screen);
    }
  });

  for (const lab of labs) {
    await t.step(`the arrows of ${lab.name} are what goes over the wire`, async () => {
      const { steps } = await record(lab);
      const wire = steps.filter(isWire);
      const { arrows } = await stage(page, lab.name);
      assertEquals(
        arrows,
        wire.map(({ from, kind, data }) => `${from} ${kind} ${data?.length ?? 0}`),
      );
      assert(arrows.length >= 2);
    });
  }

  await t.step("one step back undoes one step forth, from the first to the last", async () => {
    for (const { name, recordings: [{ steps }] } of book) {
      await click(page, name, "From the start");
      const forth = [await stage(page, name)];
      for (let i = 0; i < steps.length; i++) {
        await click(page, name, "One step forth");
        forth.push(await stage(page, name));
      }
      assertEquals(new Set(forth.map((shown) => JSON.stringify(shown))).size, steps.length + 1);
      assertEquals(forth[0].arrows, []);
      assertEquals(forth[0].server, "");
      for (let i = steps.length - 1; i >= 0; i--) {
        await click(page, name, "One step back");
        assertEquals(await stage(page, name), forth[i]);
      }
    }
  });

  await t.step("each step shows its line or draws its arrow, and nothing else", async () => {
    const [{ name, recordings: [{ steps }] }] = book;
    let before = await stage(page, name);
    for (const step of steps) {
      await click(page, name, "One step forth");
      const after = await stage(page, name);
      for (const half of ["server", "client"] as const) {
        const isHere = step.kind === "line" && step.from === half;
        assertEquals(after[half], before[half] + (isHere ? step.text : ""));
      }
      assertEquals(after.arrows.length - before.arrows.length, isWire(step) ? 1 : 0);
      before = after;
    }
  });

  await t.step("space plays and pauses, arrow keys step, in the lab that is in view", async () => {
    const name = "guess";
    const at = async () => Number((await stage(page, name)).count!.match(/\d+/)![0]);
    await click(page, name, "From the start");
    await page.evaluate((name) => {
      (document.activeElement as HTMLElement | null)?.blur();
      document.querySelector(`[data-lab="${name}"] .player`)!.scrollIntoView();
    }, name);
    await page.press("ArrowRight");
    await page.press("ArrowRight");
    assertEquals(await at(), 2);
    await page.press("ArrowLeft");
    assertEquals(await at(), 1);
    await page.press(" ");
    assertEquals(await at(), 2); // it plays: the next step comes at once
    const isPlaying = () =>
      page.evaluate(
        (name) => document.querySelector(`[data-lab="${name}"] .play`)!.textContent === "Pause",
        name,
      );
    assert(await isPlaying());
    await page.press(" ");
    assert(!await isPlaying());
  });

  await t.step("a UDP lab has a second recording in which a datagram is lost", async () => {
    for (const { name, recordings } of book) {
      const { transport } = labs.find((lab) => lab.name === name)!;
      const lost = recordings.flatMap(({ steps }) => steps.filter(({ kind }) => kind === "lost"));
      assertEquals(lost.length, transport === "udp" ? 1 : 0);
    }
    await choose(page, "guess", "A datagram gets lost");
    await click(page, "guess", "One step forth", 50);
    const { client, arrows } = await stage(page, "guess");
    assertEquals(arrows.slice(0, 4), [
      "client datagram 2",
      "server lost 5",
      "client datagram 2",
      "server datagram 5",
    ]);
    assertMatch(client!, /: 50\nnote: no reply within 2 s: try 2 of 3\nLOWER\n/);
  });

  await t.step(
    "version 2 has one with a cut character, version 3 one with two messages",
    async () => {
      await choose(page, "echo_v2", "A character cut by the buffer");
      await click(page, "echo_v2", "One step forth", 50);
      const reads = await page.evaluate(() =>
        [...document.querySelectorAll('[data-lab="echo_v2"] text.tick.server')]
          .map(({ textContent }) => textContent)
      );
      assertEquals(reads, [
        "listen",
        "accept",
        "read 10: ␣␣␣␣␣␣␣␣␣5",
        "read 5: grü�",
        "read 2: �e",
      ]);
      await choose(page, "echo_v3", "Two messages in one segment");
      await click(page, "echo_v3", "One step forth", 50);
      const { arrows, server } = await stage(page, "echo_v3");
      const [first, ...answers] = arrows.filter((arrow) => arrow.includes("data"));
      assertEquals(first, "client data 30");
      const bytes = answers.map((arrow) => Number(arrow.match(/^server data (\d+)$/)![1]));
      assertEquals(bytes.reduce((sum, length) => sum + length), 29); // they may come as one
      assertMatch(server!, /message received\nhello\nfull message received\nexit\n/);
    },
  );

  await t.step("pointing at a step marks it on both sides, and the arrows it caused", async () => {
    await choose(page, "echo_v2", "As it should go");
    await click(page, "echo_v2", "One step forth", 50);
    const spot = await page.evaluate(() => {
      const row = document.querySelector('[data-lab="echo_v2"] .source.client [data-step="send"]')!;
      row.scrollIntoView({ block: "end" });
      const { left, top, width, height } = row.getBoundingClientRect();
      return [left + width / 4, top + height / 2];
    });
    await page.point(spot[0], spot[1]);
    const marked = await page.evaluate(() =>
      [...document.querySelectorAll(".marked")].map((element) =>
        element.matches("[data-event]")
          ? element.getAttribute("aria-label")
          : [...element.children].map(({ textContent }) => textContent!.trim()).join(" | ")
      )
    );
    assertEquals(marked.length, 2);
    assertMatch(marked[0]!, /^The client sends 82 bytes to the server: ␣+72Hello!This/);
    assertMatch(marked[1]!, /sendall\(.*\| send \| .*(writeAll|write)\(/);
  });

  await t.step(
    "an arrow that has the focus shows its bytes as text and in hexadecimal",
    async () => {
      const shown = await page.evaluate(() => {
        const section = document.querySelector('[data-lab="echo_v1"]')!;
        const forth = section.querySelector<HTMLElement>('[aria-label="One step forth"]')!;
        for (let i = 0; i < 30; i++) forth.click();
        section.querySelector<SVGGElement>('[data-kind="data"]')!.focus();
        return section.querySelector(".detail")!.textContent;
      });
      assertMatch(shown!, /The client sends 6 bytes.*Hello!0000 {2}48 65 6c 6c 6f 21 +Hello!$/);
    },
  );

  await t.step("what has a part in the playback has a role and a name", async () => {
    await page.send("Accessibility.enable");
    interface Node {
      role?: { value: string };
      name?: { value: string };
      ignored: boolean;
    }
    const { nodes } = await page.send("Accessibility.getFullAXTree") as unknown as {
      nodes: Node[];
    };
    const named = new Map<string, number>();
    for (const { role, name, ignored } of nodes) {
      if (ignored || !role) continue;
      const roles = ["button", "combobox", "slider", "log", "image", "toolbar", "link", "status"];
      if (!roles.includes(role.value)) continue;
      if (role.value !== "status") assert(name?.value, `a ${role.value} has no name`);
      named.set(role.value, (named.get(role.value) ?? 0) + 1);
    }
    assertEquals(named.get("log"), 2 * labs.length);
    assertEquals(named.get("slider"), labs.length);
    assertEquals(named.get("toolbar"), labs.length);
    assert(named.get("image")! > 10 && named.get("button")! >= 9 * labs.length);
    const texts = await page.evaluate(() =>
      [...document.querySelectorAll("details ol")].map(({ children }) => children.length)
    );
    assert(texts.every((length) => length > 5), "the diagrams have a text form");
  });

  await t.step("on paper everything has happened", async () => {
    await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
    const { server } = await stage(page, "tcp");
    assertEquals(server, labs.find(({ name }) => name === "tcp")!.server.screen);
    await page.evaluate(() => dispatchEvent(new Event("afterprint")));
  });

  for (const scheme of ["light", "dark"] as const) {
    await t.step(
      `every text has the contrast of WCAG AA where the system is ${scheme}`,
      async () => {
        await page.resize(1280, 900, scheme);
        await page.evaluate(() => {
          for (const section of document.querySelectorAll("section")) {
            const forth = section.querySelector<HTMLElement>('[aria-label="One step forth"]')!;
            for (let i = 0; i < 60; i++) forth.click();
            section.querySelector<SVGGElement>("[data-event]")!.focus(); // marks, and shows bytes
          }
        });
        assertEquals(await page.evaluate(faintTexts), []);
      },
    );
  }

  for (const width of [360, 1024, 1920]) {
    await t.step(`nothing is wider than the window at ${width} pixels`, async () => {
      await page.resize(width, 800);
      await page.go(addressOf(file));
      const wide = await page.evaluate(() =>
        document.documentElement.scrollWidth - document.documentElement.clientWidth
      );
      assertEquals(wide, 0);
    });
  }

  await t.step("nothing was logged as an error, and no request left", () => {
    assertEquals(page.errors, []);
    assertEquals(new Set(page.requests), new Set([addressOf(file)]));
  });

  await t.step("markup in what is sent, printed and told stays text", async () => {
    const evil = `</script><script>document.title = "evil"</script><img src=x onerror=alert()>`;
    const [lab] = labs;
    const take = { title: evil, about: evil, more: [`--message=${evil}`] };
    const entry = await entryOf(lab, "", [take]);
    const half = entry.halves.server;
    half.teaches.push(evil);
    half.lines.push({ left: evil, right: evil, step: "print", row: 1 });
    await Deno.writeTextFile(`${folder}/evil.html`, await pageOf([{ ...entry, course: evil }]));
    await page.go(addressOf(`${folder}/evil.html`));
    await click(page, lab.name, "One step forth", 50);
    const { server, arrows } = await stage(page, lab.name);
    assert(server!.includes(`Data: ${evil}\n`), server!);
    assert(arrows.includes(`client data ${evil.length}`));
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
    assertEquals(page.errors, []);
  });
}
