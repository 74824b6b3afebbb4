// A directory for the browser to look at: the program on a free port, with a database of its own, filled through its API.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export const ENVIRONMENT = "a-token-that-is-long-enough";
export const ISSUER = "https://idp.example.com/realms/acme";

/** Starts it; `settings` is the text of its file of settings. */
export async function start({ settings = "", options = [] } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "firstsight-page-"));
  const config = join(folder, "directory.toml");
  writeFileSync(config, settings);
  const database = `sqlite:${join(folder, "accounts.db")}`;
  const usual = ["serve", "--listen", "127.0.0.1:0", "--database", database, "--config", config];
  const child = spawn(process.env.FIRSTSIGHT_BIN, [...usual, ...options], {
    env: { FIRSTSIGHT_TOKEN: ENVIRONMENT },
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [line] = await once(createInterface(child.stdout), "line");
  return new Directory(child, folder, line.replace("listening on ", ""));
}

class Directory {
  constructor(child, folder, url) {
    Object.assign(this, { child, folder, url });
  }

  async stop() {
    const ended = once(this.child, "exit");
    this.child.kill("SIGKILL");
    await ended;
    rmSync(this.folder, { recursive: true });
  }

  async call(method, path, body, type = "application/json") {
    const answer = await fetch(this.url + path, {
      method,
      headers: { authorization: `Bearer ${ENVIRONMENT}`, "content-type": type },
      body: body && JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text && JSON.parse(text);
  }

  /** Makes a token; returns its text. */
  async token(name, ...scopes) {
    return (await this.call("POST", "/v1/tokens", { name, scopes })).token;
  }

  /** A gateway reports that it sighted this `sub`. */
  arrival(sub, attributes = {}, more = {}) {
    const key = createHash("sha256");
    for (const part of [ISSUER, sub]) {
      const length = Buffer.alloc(8);
      length.writeBigUInt64BE(BigInt(Buffer.byteLength(part)));
      key.update(length).update(part);
    }
    return this.call("POST", "/v1/arrivals", {
      subject: { issuer: ISSUER, id: sub, key: key.digest("hex") },
      kind: "person",
      cause: "arrival",
      attributes,
      mapping: "1c7f9a60b2d34e58",
      sighted_at: new Date().toISOString(),
      gateway: "edge-eu-1",
      ...more,
    });
  }

  /** A gateway reports that it served this `sub` until so many seconds ago. */
  sighting(sub, ago, count = 1) {
    const time = new Date(Date.now() - ago * 1000).toISOString();
    const event = {
      specversion: "1.0",
      type: "dev.firstsight.subject.sighted",
      source: "edge-eu-1",
      subject: "",
      datacontenttype: "application/json",
      id: `${sub}-${ago}`,
      time,
      data: { issuer: ISSUER, id: sub, first_seen: time, last_seen: time, count },
    };
    return this.call("POST", "/v1/sightings", [event], "application/cloudevents-batch+json");
  }

  /** The account of a `sub`. */
  async account(sub) {
    const query = new URLSearchParams({ issuer: ISSUER, id: sub });
    return (await this.call("GET", `/v1/accounts?${query}`)).accounts[0];
  }

  async act(sub, action, reason) {
    const { id } = await this.account(sub);
    return this.call("POST", `/v1/accounts/${id}/${action}`, { reason });
  }
}
