// A real server: `pitboss sandbox`, and an operator's and a provider's requests to it.
//
// The program is PITBOSS in the environment, else the one that `cargo build` leaves in target/debug.

import { spawn, type ChildProcess } from "node:child_process";
import { createHmac, randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const PITBOSS = process.env.PITBOSS ?? fileURLToPath(new URL("../../../../../target/debug/pitboss", import.meta.url));

/** Without the settings of whoever runs the tests. */
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("PITBOSS")));

interface At {
  api: string;
  stream: string;
  operator_key: string;
  providers: [{ id: string; secret: string }];
}

export class Sandbox {
  #child: ChildProcess | undefined;
  #at: At | undefined;

  private constructor(
    readonly data: string,
    /** The same after a restart, so that clients find it again. */
    private readonly port: number,
  ) {}

  static async start(): Promise<Sandbox> {
    const sandbox = new Sandbox(await mkdtemp(join(tmpdir(), "pitboss-client-")), await freePort());
    await sandbox.run();
    return sandbox;
  }

  get at(): At {
    if (!this.#at) throw new Error("the sandbox does not run");
    return this.#at;
  }

  /** Starts the program, and returns when it is ready. */
  async run(): Promise<void> {
    const args = ["sandbox", "--data", this.data, "--port", String(this.port)];
    // The kernel ends the server when the tests end in any way; the server then ends its own children.
    const child = spawn("setpriv", ["--pdeathsig", "TERM", PITBOSS, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    let log = "";
    await new Promise<void>((ready, failed) => {
      const read = (text: Buffer) => {
        log += text;
        if (log.includes("sandbox is ready")) ready();
      };
      child.stdout.on("data", read);
      child.stderr.on("data", read);
      child.once("error", failed);
      child.once("exit", (code) => failed(new Error(`${PITBOSS} ended with ${code}:\n${log}`)));
    });
    this.#at = JSON.parse(await readFile(join(this.data, "connection.json"), "utf8"));
  }

  async end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  }

  async remove(): Promise<void> {
    await this.end("SIGTERM");
    await rm(this.data, { recursive: true, force: true });
  }

  /** An operator's request. */
  post(path: string, body: object): Promise<Answer> {
    const headers = { Authorization: `Bearer ${this.at.operator_key}`, "Content-Type": "application/json" };
    return send(`${this.at.api}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  }

  /** A provider's signed callback. */
  callback(action: string, fields: object): Promise<Answer> {
    const [{ id, secret }] = this.at.providers;
    const path = `/callbacks/sandbox/${id}/${action}`;
    const body = JSON.stringify(fields);
    const t = Math.floor(Date.now() / 1000);
    const v1 = createHmac("sha256", secret).update(`${t}\n${path}\n${body}`).digest("hex");
    const headers = { "Pitboss-Signature": `t=${t},v1=${v1}` };
    return send(`${this.at.api}${path}`, { method: "POST", headers, body });
  }

  /** A new player with 1000 EUR, in a session of the game `dice`. */
  async player(): Promise<Player> {
    const id = `player-${randomUUID()}`;
    await this.post("/v1/players", { id, currency: "EUR" });
    await this.post(`/v1/players/${id}/deposits`, { amount: "1000.00", currency: "EUR", reference: randomUUID() });
    const { token } = await this.post("/v1/games/dice/launch", { player: id, currency: "EUR" });
    const { session } = await this.callback("authenticate", { token });
    return new Player(this, id, String(session));
  }
}

export class Player {
  constructor(
    private readonly sandbox: Sandbox,
    readonly id: string,
    private readonly session: string,
  ) {}

  /** A token for the stream. */
  async logIn(): Promise<string> {
    return String((await this.sandbox.post("/v1/sessions", { player: this.id, currency: "EUR" })).token);
  }

  /** A bet of 1 EUR in a round of its own. */
  bet(id: string): Promise<Answer> {
    const { id: player, session } = this;
    const names = { transaction_id: id, player, session, game: "dice", round: `r-${id}` };
    return this.sandbox.callback("bet", { ...names, amount: "1.00", currency: "EUR" });
  }
}

type Answer = Record<string, unknown>;

async function send(url: string, request: RequestInit): Promise<Answer> {
  const response = await fetch(url, request);
  const text = await response.text();
  if (!response.ok) throw new Error(`${url}: ${response.status} ${text}`);
  return JSON.parse(text) as Answer;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
