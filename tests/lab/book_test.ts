/** The lab book, in a real browser. */
/// <reference lib="dom" />
import { assert, assertEquals, assertMatch } from "@std/assert";
import { type Entry, entryOf, pageOf } from "../../scripts/lab/book.ts";
import { labs } from "../../scripts/lab/names.ts";
import { DENO_RUN, Program } from "../../scripts/lab/program.ts";
import { record } from "../../scripts/lab/wire/recording.ts";
import { resultOf, SCRIPTS } from "../helpers.ts";
import { addressOf, BROWSER, Page } from "./browser.ts";
import {
  choose,
  click,
  crowdedTexts,
  faintTexts,
  marked,
  pointAt,
  printed,
  roles,
  showAll,
  stage,
} from "./stage.ts";

/** A lab, as the page has it. */
type Shown = Entry & {
  recordings: { steps: { kind: string; from: "server" | "client"; text: string }[] }[];
};

const isWire = ({ kind }: { kind: string }) => !["line", "note", "call"].includes(kind);

/** The data in a page. */
function entriesIn(page: string): Shown[] {
  return JSON.parse(page.match(/type="application\/json"[^>]*>(.*?)<\/script>/s)![1]).labs;
}

/** Runs all labs once more, one after the other: what goes over their wires. */
async function arrowsOfAll() {
  const arrows: Record<string, string[]> = {};
  for (const lab of labs) {
    arrows[lab.name] = (await record(lab)).steps.filter(isWire)
      .map(({ from, kind, data }) => `${from} ${kind} ${data?.length ?? 0}`);
  }
  return arrows;
}

Deno.test({
  name: BROWSER
    ? "the lab book in a browser"
    : "the lab book in a browser: LEFT OUT, there is no Chromium here",
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
  const recorded = arrowsOfAll(); // while the book is made, which waits most of the time
  await using page = await Page.open();
  await page.resize(1280, 900);

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
  await page.go(addressOf(file));

  await t.step("every lab plays to its end, and shows the headers' transcripts", async () => {
    await page.evaluate(async () => {
      const sections = [...document.querySelectorAll("section[data-lab]")];
      for (const section of sections) {
        const speed = section.querySelector<HTMLSelectElement>('select[aria-label="Speed"]')!;
        speed.append(new Option("50"));
        speed.value = "50"; // nobody watches
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
      for (const speed of document.querySelectorAll("select")) speed.value = "1";
    });
    for (const { name, server, client } of labs) {
      const shown = await stage(page, name);
      assertEquals(shown.server, server.screen);
      assertEquals(shown.client, client.screen);
    }
  });

  await t.step("its arrows are what goes over the wire when the labs run again", async () => {
    for (const [name, arrows] of Object.entries(await recorded)) {
      assertEquals((await stage(page, name)).arrows, arrows);
      assert(arrows.length >= 2);
    }
  });

  await t.step("a step forth shows a line or draws an arrow, a step back undoes it", async () => {
    for (const { name, recordings: [{ steps }] } of book) {
      await click(page, name, "From the start");
      const forth = await click(page, name, "One step forth", steps.length);
      assertEquals(forth[0], { server: "", client: "", arrows: [], at: 0 });
      for (const [i, step] of steps.entries()) {
        const [before, after] = [forth[i], forth[i + 1]];
        for (const half of ["server", "client"] as const) {
          const isHere = step.kind === "line" && step.from === half;
          assertEquals(after[half], before[half] + (isHere ? step.text : ""));
        }
        assertEquals(after.arrows.length - before.arrows.length, isWire(step) ? 1 : 0);
        assertEquals(after.at, i + 1);
      }
      const back = await click(page, name, "One step back", steps.length);
      assertEquals(back, forth.reverse());
    }
  });

  await t.step("keys play, step, and go to start and end, in the lab that is in view", async () => {
    const name = "guess";
    const at = async () => (await stage(page, name)).at;
    const all = book.find((lab) => lab.name === name)!.recordings[0].steps.length;
    const nextIs = () =>
      page.evaluate(() => document.querySelector('[data-lab="guess"] .play')!.textContent);
    await page.evaluate(() =>
      document.querySelector('[data-lab="guess"] .player')!.scrollIntoView()
    );
    const keys = [
      "ArrowRight",
      "ArrowRight",
      "ArrowLeft",
      "End",
      "ArrowRight",
      "Home",
      "ArrowLeft",
    ];
    const places = [1, 2, 1, all, all, 0, 0];
    for (const [i, key] of keys.entries()) {
      await page.press(key);
      assertEquals(await at(), places[i], key);
    }
    await page.press(" ");
    assertEquals(await at(), 1); // it plays: the next step comes at once
    assertEquals(await nextIs(), "Pause");
    await page.press(" ");
    assertEquals(await nextIs(), "Play");
  });

  await t.step("keys act once where a button has the focus, which it keeps", async () => {
    const at = async () => (await stage(page, "guess")).at;
    const focus = (name: string) =>
      page.evaluate(
        (name) =>
          document.querySelector<HTMLElement>(`[data-lab="guess"] [aria-label="${name}"]`)!.focus(),
        name,
      );
    await focus("One step forth");
    await page.press("Home");
    await page.press(" ");
    assertEquals(await at(), 1);
    await page.press("ArrowRight");
    assertEquals(await at(), 2);
    await focus("Step"); // the slider, whose own keys these are
    await page.press("ArrowRight");
    assertEquals(await at(), 3);
    await focus("One step forth");
    await page.press("End");
    await page.press(" "); // there is no step more
    const disabled = () => page.evaluate(() => document.querySelectorAll(":disabled").length);
    assertEquals(await disabled(), 0); // not every browser would tell keys there
    await page.press("ArrowLeft");
    const steps = book.find(({ name }) => name === "guess")!.recordings[0].steps.length;
    assertEquals(await at(), steps - 1);
  });

  await t.step("a UDP lab has a second recording in which a datagram is lost", async () => {
    for (const { name, recordings } of book) {
      const { transport } = labs.find((lab) => lab.name === name)!;
      const lost = recordings.flatMap(({ steps }) => steps.filter(({ kind }) => kind === "lost"));
      assertEquals(lost.length, transport === "udp" ? 1 : 0);
    }
    const { client, arrows } = await choose(page, "guess", "A datagram gets lost");
    assertEquals(arrows.slice(0, 4), [
      "client datagram 2",
      "server lost 5",
      "client datagram 2",
      "server datagram 5",
    ]);
    assertMatch(client, /: 50\nnote: no reply within 2 s: try 2 of 3\nLOWER\n/);
  });

  await t.step("version 2 has one with a cut character", async () => {
    await choose(page, "echo_v2", "A character cut by the buffer");
    const calls = await page.evaluate(() =>
      [...document.querySelectorAll('[data-lab="echo_v2"] text.tick.server')]
        .map(({ textContent }) => textContent)
    );
    const reads = ["read 10: ␣␣␣␣␣␣␣␣␣5", "read 5: grü�", "read 2: �e"];
    assertEquals(calls, ["listen", "accept", ...reads]);
  });

  await t.step("version 3 has one with two messages in one segment", async () => {
    const { arrows, server } = await choose(page, "echo_v3", "Two messages in one segment");
    const [first, ...answers] = arrows.filter((arrow) => arrow.includes("data"));
    assertEquals(first, "client data 30");
    const bytes = answers.map((arrow) => Number(arrow.match(/^server data (\d+)$/)![1]));
    assertEquals(bytes.reduce((sum, length) => sum + length), 29); // they may come as one
    assertMatch(server, /message received\nhello\nfull message received\nexit\n/);
  });

  await t.step("pointing at a step marks it on both sides, and the arrows it caused", async () => {
    await choose(page, "echo_v2", "As it should go");
    await pointAt(page, '[data-lab="echo_v2"] .source.client [data-step="send"]');
    const [send, row, ...more] = await marked(page);
    assertEquals(more, []);
    assertMatch(send, /^The client sends 82 bytes to the server: ␣+72Hello!This/);
    assertMatch(row, /sendall\(.*\| send \| .*(writeAll|write)\(/);
    await pointAt(page, '[data-lab="echo_v2"] .source.client [data-step="connect"]');
    // It is closed where the block ends that begins there, so that is its doing too.
    assertEquals((await marked(page)).slice(0, 2), [
      "The client connects",
      "The client ends its half of the connection (FIN)",
    ]);
    const causes = await page.evaluate(() =>
      [...document.querySelectorAll('[data-lab="echo_v2"] .source tr[tabindex]')]
        .map((row) => (row as HTMLElement).dataset.step)
    );
    assertEquals(causes, ["accept", "send", "connect", "send"]); // what Tab goes to
    const others = () =>
      page.evaluate(() => document.querySelectorAll(".no-right[tabindex]").length);
    assertEquals(await others(), 0); // the original's own lines
  });

  await t.step("an arrow shows its bytes, to the mouse and to the keyboard", async () => {
    const detail = (action: "focus" | "none") =>
      page.evaluate((action) => {
        const section = document.querySelector('[data-lab="echo_v1"]')!;
        if (action === "focus") section.querySelector<SVGGElement>('[data-kind="data"]')!.focus();
        return section.querySelector(".detail")!.textContent!;
      }, action);
    await click(page, "echo_v1", "One step forth", 30);
    const bytes = /The client sends 6 bytes.*Hello!0000 {2}48 65 6c 6c 6f 21 +Hello!$/;
    assertMatch(await detail("focus"), bytes);
    assertEquals((await marked(page))[1]?.split(" | ")[1], "send");
    await click(page, "echo_v1", "One step back");
    assert(!bytes.test(await detail("none")));
    await pointAt(page, '[data-lab="echo_v1"] [data-kind="data"] rect');
    assertMatch(await detail("none"), bytes);
  });

  await t.step("it says what a lab teaches and what differs, and how to run it", async () => {
    const found = await page.evaluate(async () => {
      const section = document.querySelector('[data-lab="upper_tcp"]')!;
      const copied: string[] = [];
      const writeText = (text: string) => Promise.resolve(void copied.push(text));
      Object.defineProperty(navigator, "clipboard", { value: { writeText }, configurable: true });
      const buttons = [...section.querySelectorAll<HTMLElement>(".command button")];
      for (const button of buttons) button.click();
      Object.defineProperty(navigator, "clipboard", { value: undefined }); // not everywhere is one
      buttons[0].click();
      await new Promise((resolve) => setTimeout(resolve));
      const lesson = section.querySelector(".lesson")!.textContent!;
      return { lesson, copied, selected: getSelection()!.toString().trim() };
    });
    const { server, client } = labs.find(({ name }) => name === "upper_tcp")!;
    for (const { summary } of [server, client]) assert(found.lesson.includes(summary));
    assertMatch(found.lesson, /On purpose other than the original: /);
    assertEquals(found.copied, [
      "deno task demo upper_tcp",
      "deno run -A scripts/upper_server_tcp.ts",
      "deno run -A scripts/upper_client_tcp.ts",
      "deno run -A scripts/upper_server_tcp.ts",
      "deno run -A scripts/netcat.ts 127.0.0.1 8080",
    ]);
    assertEquals(found.selected, found.copied[0]);
  });

  await t.step("what has a part in the playback has a role and a name", async () => {
    const { named, nameless } = await roles(page);
    assertEquals(nameless, ["status"]); // which is told by itself
    assertEquals(named.get("log"), 2 * labs.length);
    assertEquals(named.get("slider"), labs.length);
    assertEquals(named.get("toolbar"), labs.length);
    assertEquals(named.get("status"), labs.length);
    assert(named.get("image")! > 10 && named.get("button")! >= 9 * labs.length);
    const words = await page.evaluate(() =>
      [...document.querySelectorAll('[data-lab="tcp"] details li')]
        .map(({ textContent }) => textContent)
    );
    const { steps } = book.find(({ name }) => name === "tcp")!.recordings[0];
    assertEquals(words.length, steps.length); // the diagram's text form
    assertEquals(words[steps.findIndex(({ kind }) => kind === "connect")], "The client connects");
  });

  for (const scheme of ["light", "dark"] as const) {
    await t.step(`every text has WCAG AA's contrast where the system is ${scheme}`, async () => {
      await page.resize(1280, 900, scheme);
      await page.evaluate(showAll);
      assertEquals(await page.evaluate(faintTexts), []);
    });
  }

  await t.step("on paper everything has happened, dark on white", async () => {
    await click(page, "tcp", "From the start");
    await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
    const { server } = await stage(page, "tcp");
    assertEquals(server, labs.find(({ name }) => name === "tcp")!.server.screen);
    const features = [{ name: "prefers-color-scheme", value: "dark" }];
    await page.send("Emulation.setEmulatedMedia", { media: "print", features });
    const { recordings } = book.find(({ name }) => name === "echo_v2")!;
    const arrows = recordings.map(({ steps }) => steps.filter(isWire).length);
    assertEquals(await page.evaluate(printed, "echo_v2"), arrows);
    await page.evaluate(() => {
      for (const element of document.querySelectorAll<HTMLElement>("body :not(svg *)")) {
        element.style.background = "#ffffff"; // colours behind a text are not printed
      }
    });
    assertEquals(await page.evaluate(faintTexts), []);
    await page.evaluate(() => dispatchEvent(new Event("afterprint")));
    assertEquals((await stage(page, "tcp")).at, 0);
    assertEquals((await page.evaluate(printed, "echo_v2")).length, 1);
  });
  await page.go(addressOf(file));
  for (const width of [360, 1024, 1920]) {
    await t.step(
      `at ${width} pixels nothing is too wide, and no label lies on another`,
      async () => {
        await page.resize(width, 800);
        await page.evaluate(() =>
          new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))
        );
        await page.evaluate(showAll);
        const wide = await page.evaluate(() =>
          document.documentElement.scrollWidth - document.documentElement.clientWidth
        );
        assertEquals(wide, 0);
        assertEquals(await page.evaluate(crowdedTexts), []);
      },
    );
  }

  await t.step("nothing moves where the system asks for that", async () => {
    const animation = async (value: string) => {
      const features = [{ name: "prefers-reduced-motion", value }];
      await page.send("Emulation.setEmulatedMedia", { features });
      return page.evaluate(() =>
        getComputedStyle(document.querySelector('[data-lab="echo_v2"] .last .shaft')!).animationName
      );
    };
    assertEquals(await animation("no-preference"), "draw");
    assertEquals(await animation("reduce"), "none");
  });

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
    const { server, arrows } = (await click(page, lab.name, "One step forth", 50)).at(-1)!;
    assert(server.includes(`Data: ${evil}\n`), server);
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
