import process from "node:process";
import readline from "node:readline";

const lines = readline.createInterface({ input: process.stdin, output: process.stdout });
lines.question("Your name: ", (name) => {
  console.log(`hello ${name}`);
  lines.on("line", (line) => console.log("line", line));
});
lines.on("close", () => process.stdout.write("closed\n"));
