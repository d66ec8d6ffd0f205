// node-postgres as a client that is told by lines what to ask; the lines are described in ../accuracy.
// Usage: NODE_PATH=… node client.js HOST PORT USER DATABASE auto|transaction
const readline = require("node:readline");
const { Client } = require("pg");

const [host, port, user, database, mode] = process.argv.slice(2);
const client = new Client({ host, port: Number(port), user, database });
const names = new Map();
let isOpen = false;

const decode = (text) => Buffer.from(text, "base64").toString();
const encode = (text) => Buffer.from(text).toString("base64");

function valueOf(field) {
  if (field[0] === "i") return Number(field.slice(1));
  if (field[0] === "a") return field.slice(1).split(",").map(Number);
  return decode(field.slice(1));
}

function cellOf(value, type) {
  if (value === null) return "n";
  return [20, 21, 23].includes(type) ? `i${value}` : `s${encode(String(value))}`;
}

// Every second statement with values is prepared by name, the others are parsed each time.
function questionOf(text, values) {
  if (values.length === 0) return { text, rowMode: "array" };
  if (!names.has(text)) names.set(text, names.size % 2 === 0 ? `s${names.size}` : undefined);
  return { name: names.get(text), text, values, rowMode: "array" };
}

async function answer(line) {
  const [what, ...rest] = line.split("\t");
  if (what === "end") {
    if (isOpen) await client.query("COMMIT");
    isOpen = false;
    return "";
  }
  if (mode === "transaction" && !isOpen) {
    await client.query("BEGIN");
    isOpen = true;
  }
  const found = await client.query(questionOf(decode(rest[0]), rest.slice(1).map(valueOf)));
  return (found.rows ?? []).map((row) => row.map((cell, at) => cellOf(cell, found.fields[at].dataTypeID)).join(",")).join("\t");
}

async function main() {
  await client.connect();
  console.log("");
  for await (const line of readline.createInterface({ input: process.stdin })) console.log(await answer(line));
  await client.end();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
