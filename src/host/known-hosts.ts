import { readdirSync, statSync } from "node:fs";
import { type ControlClient, connectControl } from "./control-client.ts";
import { Refusal } from "./control-protocol.ts";
import { clearHostFolder, type HostDescription, readHostDescription } from "./host-folder.ts";
import { takeHostLock } from "./host-lock.ts";
import { nearestWord } from "./nearest-word.ts";
import { hostPlaces, places } from "./places.ts";

/** The hosts of this user that run. What killed ones left is cleaned on the way. */
export function runningHosts(): HostDescription[] {
  const hosts: HostDescription[] = [];
  for (const name of hostFolders()) {
    if (cleanIfDead(name)) continue;
    const description = readHostDescription(hostPlaces(name));
    if (description) hosts.push(description);
  }
  return hosts;
}

/** Connects to a host by name; a Refusal says what there is instead. */
export async function connectHost(name: string): Promise<ControlClient> {
  try {
    return await connectControl(hostPlaces(name).controlSocket);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "EACCES") throw new Refusal(`host ${name} belongs to another user`);
    if (code !== "ENOENT" && code !== "ECONNREFUSED") throw new Refusal(`host ${name} cannot be reached: ${message}`);
    throw new Refusal(absence(name));
  }
}

/** Connects for the time of `use`. */
export async function withHost<Result>(name: string, use: (client: ControlClient) => Promise<Result>): Promise<Result> {
  const client = await connectHost(name);
  try {
    return await use(client);
  } finally {
    client.close();
  }
}

/** Why there is no such host, and what to do. */
function absence(name: string): string {
  const wasThere = hostFolders().includes(name);
  if (wasThere && cleanIfDead(name))
    return `host ${name} is dead, its process was killed; what it left is cleaned up: adjunct up FILE starts it again`;
  if (wasThere) return `host ${name} is starting or ending: try again`;
  const names = hostFolders();
  if (names.length === 0) return `no host ${name}: none is running, adjunct up FILE starts one`;
  const nearest = nearestWord(name, names);
  return `no host ${name}; ${nearest ? `did you mean ${nearest}? ` : ""}running: ${names.join(", ")}`;
}

function hostFolders(): string[] {
  const { runFolder } = places();
  try {
    return readdirSync(runFolder)
      .filter((name) => !name.includes("/") && statSync(`${runFolder}/${name}`).isDirectory())
      .sort();
  } catch {
    return [];
  }
}

function cleanIfDead(name: string): boolean {
  const host = hostPlaces(name);
  const lock = takeHostLock(host.lock);
  if (!lock) return false;
  try {
    clearHostFolder(host);
  } finally {
    lock.release();
  }
  return true;
}
