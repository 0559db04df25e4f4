// Makes src/events.ts from the AsyncAPI document of a server: a type for each type of event, and for what they
// are made of.
//
//   npm run generate -- http://127.0.0.1:8080/asyncapi.json     from a running server
//   npm run generate -- asyncapi.json                           from a file
//   npm run generate -- SOURCE OUTPUT                           somewhere else than src/events.ts

import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { compile } from "json-schema-to-typescript";

const OUTPUT = fileURLToPath(new URL("../src/events.ts", import.meta.url));

/** Of the snapshot, which this client describes by hand (src/messages.ts). */
const SCHEMAS_BESIDES = ["Balance", "Round", "Wallet"];

const HEAD = `// Made by \`npm run generate\` from the contract of a server, /asyncapi.json. Do not change it by hand.
`;

/** What the compiler says of each definition, in a paragraph of its own or alone. */
const REMARK = /(?: \*\n)? \* This (?:interface|type) was referenced by .*\n \* via the .*\n( \*\/\n)/g;

async function read(source) {
  if (!/^https?:/.test(source)) return JSON.parse(await readFile(source, "utf8"));
  const response = await fetch(source);
  if (!response.ok) throw new Error(`${source}: ${response.status}`);
  return response.json();
}

/** wallet.bet_debited: WalletBetDebited */
function typeName(event) {
  return event.replace(/(?:^|[._])([a-z])/g, (_, letter) => letter.toUpperCase());
}

/** What is published as events: the stream's own messages and the clients' commands are not. */
function eventsOf(document) {
  const names = Object.keys(document.operations).filter((name) => name.startsWith("publish."));
  return names.map((name) => name.slice("publish.".length)).sort();
}

/** The name in a reference to a schema. */
function referred(schema) {
  return schema.$ref?.replace("#/components/schemas/", "");
}

/** A schema as the compiler of types wants it: a reference is the name of a type, also when it has a description. */
function adapted(schema) {
  if (Array.isArray(schema)) return schema.map(adapted);
  if (schema === null || typeof schema !== "object") return schema;
  const { $ref, allOf, description, ...rest } = schema;
  const text = description === undefined ? {} : { description };
  if ($ref !== undefined) return { tsType: referred(schema), ...text };
  // A single reference under allOf is a reference that has a description of its own.
  if (allOf?.length === 1) return { ...adapted(allOf[0]), ...text };
  const fields = Object.entries(rest).map(([name, value]) => [name, adapted(value)]);
  return { ...Object.fromEntries(fields), ...text };
}

/** The names of all schemas that these lead to. */
function reached(schemas, roots) {
  const found = new Set();
  const visit = (value) => {
    if (value === null || typeof value !== "object") return;
    for (const inner of Object.values(value)) visit(inner);
    const name = referred(value);
    if (name === undefined || found.has(name)) return;
    found.add(name);
    visit(schemas[name]);
  };
  visit(roots);
  return [...found].sort();
}

async function generate(document) {
  const { schemas, messages } = document.components;
  const events = eventsOf(document);
  const payloads = events.map((name) => messages[name].payload);
  const besides = SCHEMAS_BESIDES.map((name) => ({ $ref: `#/components/schemas/${name}` }));
  const definitions = {};
  for (const name of reached(schemas, [payloads, besides])) definitions[name] = adapted(schemas[name]);
  for (const [index, name] of events.entries()) {
    const type = typeName(name);
    if (type in definitions) throw new Error(`two types would be called ${type}`);
    definitions[type] = adapted(payloads[index]);
  }
  const root = {
    title: "EventByType",
    description: "All types of events, by name.",
    type: "object",
    properties: Object.fromEntries(events.map((name) => [name, { tsType: typeName(name) }])),
    required: events,
    definitions,
  };
  const types = await compile(root, "EventByType", {
    additionalProperties: false,
    bannerComment: HEAD,
    format: true,
    style: { printWidth: 110 },
    unreachableDefinitions: true,
  });
  return `${types.replace(REMARK, "$1")}
export type EventType = keyof EventByType;

/** Any event of a player; \`type\` tells which. */
export type PlayerEvent = EventByType[EventType];

/** The version of the contract that these types are of. */
export const EVENT_VERSION = ${Number(document.info.version)};

export const EVENT_TYPES: readonly EventType[] = ${JSON.stringify(events, null, 2)};
`;
}

const [source, output = OUTPUT] = process.argv.slice(2);
if (source === undefined) {
  console.error("usage: npm run generate -- ADDRESS-OR-FILE-OF-ASYNCAPI.JSON [OUTPUT]");
  process.exit(64);
}
await writeFile(output, await generate(await read(source)));
