/** The command `lab live`, and its page in a real browser. */
/// <reference lib="dom" />
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { findLab, labs } from "../../scripts/lab/catalog/labs.ts";
import type { Lab } from "../../scripts/lab/catalog/header.ts";
import { hasPython } from "../../scripts/lab/process/program.ts";
import { comparable } from "../../scripts/lab/session/transcript.ts";
import { temporary, THOROUGH } from "../helpers.ts";
import { faintTexts, overlappingTexts } from "./book_page.ts";
import { type KeyInput, openPage, type Page } from "./browser.ts";
import { CHROMIUM } from "./chromium.ts";
import {
  arrows,
  choose,
  download,
  message,
  output,
  press,
  startLive,
  type,
  waitForOutput,
  waitForStatus,
} from "./live_page.ts";

/** Goes to a page of `lab live` with a lab. */
async function open(page: Page, address: URL, lab: string) {
  await page.goto(address.href);
  await select(page, lab);
}

async function select(page: Page, lab: string) {
  await page.waitForSelector(".trace");
  await page.$eval(".player", (before) => before.classList.add("before"));
  await page.select('[aria-label="Lab"]', lab);
  await page.waitForSelector(`.player:not(.before)[aria-label="The lab ${lab}"]`);
}

/** Runs a lab and types the lines of its session. */
async function runSession(page: Page, { server, client }: Lab) {
  await press(page, "Start both");
  for (const line of client.typed) {
    await waitForStatus(page, "client", "running");
    await waitForOutput(page, "client", /:\s?$/); // all prompts end so
    await type(page, "client", line);
    await waitForOutput(page, "client", new RegExp(`${line}\n`));
  }
  await waitForOutput(page, "client", /ended with status/);
  await page.waitForFunction(
    (length) => {
      const spans = document.querySelectorAll('[data-terminal="server"] .line');
      return [...spans].map(({ textContent }) => textContent).join("").split("\n").length >= length;
    },
    {},
    server.screen.split("\n").length,
  );
}

Deno.test({
  name: CHROMIUM ? "lab live in a browser" : "lab live in a browser: skipped without Chromium",
  ignore: !CHROMIUM,
  async fn(t) {
    await using folder = await temporary();
    await using live = await startLive([], { cwd: folder.path });
    await using browser = await openPage();
    await testLive(t, folder.path, live.address, browser);
    await t.step("the page logs no error and requests only itself", () => {
      assertEquals(browser.errors, []);
      const pages = browser.requests.filter((url) => url.startsWith("http"));
      assertEquals(new Set(pages), new Set([live.address.href]));
    });
    await t.step("lab live ends after the page was closed", async () => {
      await browser.page.close();
      assert(await live.program.ended());
      assertEquals([await live.program.status, live.program.errors], [0, ""]);
    });
  },
});

async function testLive(
  t: Deno.TestContext,
  folder: string,
  address: URL,
  { page }: { page: Page },
) {
  const write = (name: string, text: string) => {
    Deno.writeTextFileSync(`${folder}/${name}`, text);
    return `${folder}/${name}`;
  };
  /** A step of `deno task test:all`. */
  const thoroughStep = (name: string, fn: () => Promise<void>) =>
    t.step({ name, fn, ignore: !THOROUGH });
  await page.goto(address.href);

  for (const lab of THOROUGH ? labs : [findLab("echo_v3")]) {
    await t.step(`${lab.name} runs and ends as its session does`, async () => {
      await select(page, lab.name);
      await runSession(page, lab);
      for (const role of ["server", "client"] as const) {
        assertEquals(comparable(await output(page, role)), comparable(lab[role].screen));
      }
      assertMatch(await page.$eval(".current .right", (e) => e.textContent!), /accept|receive/);
    });
  }

  await thoroughStep("the arrows of a lab are those of its recording", async () => {
    await select(page, "upper_tcp");
    await runSession(page, findLab("upper_tcp"));
    const all = await arrows(page);
    // The server may answer before it sees the client's end.
    assertEquals(all.filter((arrow) => arrow.startsWith("client")), [
      "client connect 0",
      "client data 5",
      "client end 0",
    ]);
    assertEquals(all.filter((arrow) => arrow.startsWith("server")), [
      "server data 5",
      "server end 0",
    ]);
  });

  await t.step(
    "two players guess, a verdict is dropped by click, and the game is won",
    async () => {
      await select(page, "guess");
      await press(page, "Add a client");
      await page.waitForSelector('[data-terminal="client 2"]');
      await press(page, "Start both");
      for (const player of ["client", "client 2"]) await waitForOutput(page, player, /99: $/);
      await type(page, "client 2", "10");
      await waitForOutput(page, "client 2", /: 10\nHIGHER\n/);
      await press(page, "Drop", ".faults .server");
      await page.waitForSelector('.faults .server [aria-pressed="true"]');
      await type(page, "client", "50");
      await waitForOutput(page, "client", /note: no reply within 2 s: try 2 of 3\nLOWER\n/);
      await type(page, "client 2", "42");
      await waitForOutput(page, "client 2", /CORRECT\n/);
      await waitForStatus(page, "client 2", "stopped");
      assertEquals((await arrows(page)).slice(2), [
        "client datagram 2",
        "server lost 5",
        "client datagram 2",
        "server datagram 5",
        "client datagram 2",
        "server datagram 7",
      ]);
      assertEquals(
        await page.$$eval("g[data-event] .size", (texts) => texts.map((text) => text.textContent)),
        [
          "2 bytes (client 2)",
          "6 bytes (client 2)",
          "2 bytes",
          "5 bytes lost",
          "2 bytes",
          "5 bytes",
          "2 bytes (client 2)",
          "7 bytes (client 2)",
        ],
      );
    },
  );

  await t.step("a run is kept as text and as a page that plays it", async () => {
    const text = await download(page, "Keep as text");
    assertMatch(text, /^guess_server\.ts +│ +│ guess_client\.ts\n/);
    assertMatch(text, /─ 5 bytes lost ─+✗ +│/);
    assertMatch(text, /│ \(1\) note: no reply within 2 s/);
    assertMatch(text, /│ \(2\) Guess a number between 1 and 99:\n/);
    const kept = write("kept.html", await download(page, "Keep as a page"));
    const sent = await arrows(page);
    await page.goto(`file://${kept}`);
    await page.$eval('[aria-label="Step"]', (slider) => {
      (slider as HTMLInputElement).value = "1000";
      slider.dispatchEvent(new Event("input"));
    });
    assertEquals(await arrows(page), sent);
    assertMatch(await output(page, "client 2"), /: 10\nHIGHER\n.*: 42\nCORRECT\n$/s);
  });

  await thoroughStep("a message is split inside a character, and arrives whole", async () => {
    await open(page, address, "echo_v2");
    await choose(page, "client", "script", "", "--message=grüße");
    await page.type('[aria-label="Bytes of the first part of a split"]', "15");
    await press(page, "Split", ".faults .client");
    await press(page, "Start both");
    await waitForOutput(page, "client", /grüße\n.*ended with status 0/s);
    assertEquals((await arrows(page)).slice(0, 3), [
      "client connect 0",
      "client data 15",
      "client data 2",
    ]);
    assertMatch(
      await page.$eval(".wire svg", (svg) => svg.textContent!),
      /read 5: grü�.*read 2: �e/s,
    );
  });

  await t.step("datagrams are held until the user chooses", async () => {
    await open(page, address, "echo_udp");
    const hold = '.faults input[type="checkbox"]';
    await page.click(hold);
    await press(page, "Start both");
    const held = () =>
      page.waitForSelector(".held li").then((item) => item!.evaluate((e) => e.textContent));
    assertMatch((await held())!, /^clientto the server, 33 bytes: Test message/);
    assertEquals(await arrows(page), []);
    await press(page, "Deliver", ".held");
    await page.waitForSelector(".held li.server");
    await press(page, "Duplicate", ".held");
    await waitForOutput(page, "client", /ended with status 0/);
    const [sent, ...replies] = await arrows(page);
    assertEquals(sent, "client datagram 33");
    assertEquals(new Set(replies), new Set(["server datagram 33"]));
    await page.click(hold);
  });

  await thoroughStep("in a lossy network, TCP sends segments again", async () => {
    const lose = (percent: string) =>
      page.$eval('[aria-label="Loss in percent"]', (slider, percent) => {
        (slider as HTMLInputElement).value = percent;
        slider.dispatchEvent(new Event("input"));
      }, percent);
    await select(page, "echo_v1");
    await lose("100");
    await press(page, "Start both");
    await waitForOutput(page, "client", /Hello!\n.*ended with status 0/s);
    assertEquals((await arrows(page)).slice(1, 5), [
      "client lost 6",
      "client data 6",
      "server lost 6",
      "server data 6",
    ]);
  });

  await thoroughStep("a server is stopped and started again", async () => {
    await select(page, "echo_v3");
    await press(page, "Start the client");
    await waitForOutput(page, "client", /nothing is listening.*ended with status 1/s);
    await press(page, "Start the server");
    await waitForOutput(page, "server", /Listening/);
    await press(page, "Start the client");
    await waitForOutput(page, "client", /abort:$/);
    await press(page, "Stop the server");
    await waitForOutput(page, "server", /was stopped/);
    await press(page, "Start the server");
    await waitForOutput(page, "server", /was stoppedstartsListening/);
    await waitForStatus(page, "client", "running");
    await press(page, "Stop the client");
    await waitForStatus(page, "client", "stopped");
    await press(page, "Start the client");
    await waitForOutput(page, "client", /was stoppedstartsEnter a message: "exit" to abort:$/);
    await type(page, "client", "exit");
    await waitForOutput(page, "client", /Connection Closed\nended with status 0/);
  });

  await t.step("a file takes a role, and runs again when it is saved", async () => {
    await select(page, "echo_v1");
    const server = (reply: string) => `
const listener = Deno.listen({ port: 1235, hostname: "127.0.0.1" });
console.log("ready to send ${reply}");
for await (const client of listener) {
  await client.read(new Uint8Array(100));
  await client.write(new TextEncoder().encode("${reply}"));
  client.close();
}
`;
    const file = write("mine.ts", server("first"));
    await choose(page, "server", "file", "mine.ts"); // relative to the folder of the command
    await press(page, "Start both");
    await waitForOutput(page, "client", /first\n/);
    assertEquals(await page.$$eval(".source.server .current", (rows) => rows.length), 1);
    write("mine.ts", server("second"));
    await waitForOutput(page, "server", /ready to send second\n$/);
    assertStringIncludes(
      await page.$eval(".source.server", ({ textContent }) => textContent!),
      "ready to send second",
    );
    await press(page, "Start the client");
    await waitForOutput(page, "client", /second\n/);
    assertEquals(
      await page.$eval('[aria-label="Path of the server"]', (e) => (e as HTMLInputElement).value),
      Deno.realPathSync(file),
    );
  });

  if (await hasPython()) {
    await thoroughStep("a counterpart takes a role, and its lines are lit", async () => {
      await select(page, "guess");
      await choose(page, "server", "counterpart", "guess_server.py", "--secret=42");
      await choose(page, "client", "counterpart", "guess_client.py");
      await press(page, "Start both");
      await waitForOutput(page, "client", /99: $/);
      await type(page, "client", "42");
      await waitForOutput(page, "client", /99: 42\nCORRECT\n.*ended with status 0/s);
      await page.waitForFunction(() =>
        document.querySelector(".source.server.original .current .left")?.textContent?.includes(
          "recvfrom",
        )
      );
    });
  }

  await t.step("the page says why it refuses a file", async () => {
    await select(page, "echo_v1");
    await choose(page, "server", "file", "../mine.ts");
    assertMatch(await message(page), /^\.\.\/mine\.ts: a path with \.\. is refused/);
    const command = await page.$eval(".terminal.server .prompt", (e) => e.textContent!);
    assertMatch(command, /echo_server_v1\.ts/);
  });

  await thoroughStep("a program that prints without end is ended", async () => {
    await select(page, "echo_v1");
    const endless = write("endless.js", `while (true) console.log("again and again");`);
    await choose(page, "client", "file", endless);
    await press(page, "Start the client");
    await waitForOutput(page, "client", /was ended: it prints without end$/);
    const count = await page.$$eval('[data-terminal="client"] *', (spans) => spans.length);
    assert(count < 1000, `${count} elements`);
  });

  await thoroughStep("a program that ends at once is shown with its status", async () => {
    await choose(page, "client", "file", write("short.js", `console.log("bye"); Deno.exit(7);`));
    await press(page, "Start the client");
    await waitForOutput(page, "client", /bye\nended with status 7$/);
  });

  await t.step("markup and terminal escapes in output stay text", async () => {
    const evil = `</script><script>document.title = "evil"</script><img src=x onerror=alert()>`;
    const text = `${evil}\\x1b[2J\\x1b]0;evil\\x07\\u202e`;
    await choose(page, "client", "file", write("evil.js", `console.log(\`${text}\`);`));
    await press(page, "Start the client");
    await waitForOutput(page, "client", /ended with status 0$/);
    const escaped = `${evil}\\x1b[2J\\x1b]0;evil\\x07\\u202e\n`;
    assertEquals((await output(page, "client")).slice(-escaped.length), escaped);
    assertEquals(
      await page.evaluate(() => [document.title, document.images.length, document.scripts.length]),
      ["Socket labs: live", 0, 1],
    );
    const kept = await download(page, "Keep as a page");
    assertEquals(kept.split("</script>").length, 3);
    assert(!(await download(page, "Keep as text")).includes("\x1b"));
  });

  await thoroughStep("an event is on the page within 50 ms", async () => {
    // The program prints the time; the page compares it with the time when the text appears.
    const code = `setInterval(() => console.log(Date.now()), 50);`;
    await choose(page, "client", "file", write("clock.js", code));
    await press(page, "Start the client");
    const delays = await page.evaluate(() =>
      new Promise<number[]>((resolve) => {
        const delays: number[] = [];
        const terminal = document.querySelector('[data-terminal="client"]')!;
        new MutationObserver((records) => {
          for (const node of records.flatMap(({ addedNodes }) => [...addedNodes])) {
            const time = Number(node.textContent);
            if (time) delays.push(Date.now() - time);
          }
          if (delays.length >= 20) resolve(delays);
        }).observe(terminal, { childList: true });
      })
    );
    await press(page, "Stop the client");
    // On a busy machine most of them may be late, but not all.
    const [fastest] = delays.sort((a, b) => a - b);
    assert(fastest <= 50, `${delays}`);
  });

  await thoroughStep("10,000 events leave the page fast", async () => {
    await select(page, "echo_udp");
    const many = `
import { setTimeout } from "node:timers/promises";
const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
const server = { transport: "udp", hostname: "127.0.0.1", port: 9900 };
const buffer = new Uint8Array(100);
for (let i = 0; i < 2500; i++) {
  await socket.send(new TextEncoder().encode(\`\${i}\`), server);
  await socket.receive(buffer);
  if (i % 20 === 0) await setTimeout(5);
}
console.log("done");
`;
    await choose(page, "client", "file", write("many.js", many));
    await press(page, "Start both");
    await waitForOutput(page, "client", /done\n/);
    const count = await page.$$eval(".trace *", (elements) => elements.length);
    assert(count < 6000, `${count} elements`);
    const frames = await page.evaluate(async () => {
      const start = performance.now();
      let frames = 0;
      for (; performance.now() - start < 1000; frames++) await new Promise(requestAnimationFrame);
      return frames;
    });
    assert(frames > 5, `${frames} frames in a second`); // 60, if the machine is not busy
  });

  await thoroughStep("no process is left after many starts and stops", async () => {
    await select(page, "echo_udp");
    for (let i = 0; i < 50; i++) {
      await press(page, "Start the server");
      if (i % 2 === 0) await waitForStatus(page, "server", "running");
      await press(page, "Stop the server");
      await waitForOutput(page, "server", /was stopped$/);
      await waitForStatus(page, "server", "stopped");
    }
    await select(page, "echo_v1"); // this ends all programs of the lab before
    assertEquals(running("echo_server_udp.ts"), 0);
  });

  for (const scheme of ["light", "dark"]) {
    await thoroughStep(`every text has AA contrast when the system is ${scheme}`, async () => {
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
      await select(page, "guess");
      await press(page, "Add a client");
      await press(page, "Start both");
      await waitForOutput(page, "client 2", /99: $/);
      await choose(page, "server", "file", "no such file.py");
      await page.click('.faults input[type="checkbox"]');
      await type(page, "client", "50");
      await page.waitForSelector(".held li");
      assertEquals(await page.evaluate(faintTexts), []);
    });
  }

  await thoroughStep("the keyboard alone starts a lab, types and stops it", async () => {
    await select(page, "echo_v3");
    const reach = async (name: string, key: "Tab" | "Shift+Tab" = "Tab") => {
      const [press, hold] = key.split("+").reverse() as KeyInput[];
      await page.waitForFunction(
        (name) => {
          const label = ({ ariaLabel, textContent }: Element) => ariaLabel ?? textContent;
          return [...document.querySelectorAll("button, input")].some((e) => label(e) === name);
        },
        {},
        name,
      );
      if (hold) await page.keyboard.down(hold);
      for (let i = 0;; i++) {
        assert(i < 60, `${key} does not reach ${name}`);
        const at = await page.evaluate(() => {
          const { ariaLabel, textContent } = document.activeElement!;
          return ariaLabel ?? textContent;
        });
        if (at === name) break;
        await page.keyboard.press(press);
      }
      if (hold) await page.keyboard.up(hold);
    };
    await page.focus('[aria-label="Lab"]');
    await reach("Start both");
    await page.keyboard.press("Enter");
    await waitForOutput(page, "client", /abort:$/);
    await reach("Type to the client");
    await page.keyboard.type("hello\n");
    await waitForOutput(page, "client", /hello\nhello\n/);
    await reach("Stop the client", "Shift+Tab");
    await page.keyboard.press("Space");
    await waitForStatus(page, "client", "stopped");
  });

  await thoroughStep("nothing moves when the system asks for reduced motion", async () => {
    await page.emulateMediaFeatures([{ name: "prefers-reduced-motion", value: "reduce" }]);
    const moving = await page.$$eval(
      ".live *",
      (elements) => elements.filter((e) => getComputedStyle(e).animationName !== "none").length,
    );
    assertEquals(moving, 0);
    await page.emulateMediaFeatures([]);
  });

  for (const width of [360, 1024, 1920]) {
    await thoroughStep(`nothing overlaps or is cut off at ${width} pixels`, async () => {
      await page.setViewport({ width, height: 800 });
      await select(page, "upper_tcp");
      await runSession(page, findLab("upper_tcp"));
      const { scrollWidth, clientWidth } = await page.$eval("html", (html) => ({
        scrollWidth: html.scrollWidth,
        clientWidth: html.clientWidth,
      }));
      assertEquals(scrollWidth, clientWidth);
      assertEquals(await page.evaluate(overlappingTexts), []);
    });
  }
}

/** How many processes run a file, on Linux. */
function running(file: string): number {
  if (Deno.build.os !== "linux") return 0;
  return [...Deno.readDirSync("/proc")].filter(({ name }) => {
    try {
      return Deno.readTextFileSync(`/proc/${name}/cmdline`).includes(file);
    } catch {
      return false; // not a process, or it has ended
    }
  }).length;
}
