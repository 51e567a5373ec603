import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import * as v from "valibot";
import type { HostConfiguration } from "./configuration.ts";
import { completeConfiguration } from "./configuration-defaults.ts";
import { ConfigurationError } from "./configuration-error.ts";
import { configurationSchema, textKeys } from "./configuration-schema.ts";
import { type LocatedYaml, type Location, parseLocatedYaml, type YamlPath } from "./located-yaml.ts";
import { nearestWord } from "./nearest-word.ts";
import { systemErrorText } from "./system-error-text.ts";

/** A file of 256 adapters with every attribute recorded is below this; more is a mistake or an attack on the parser. */
const maxFileBytes = 32 * 1024 * 1024;

/** What is wrong with a configuration, by the path of the value concerned. */
export interface ConfigurationProblem {
  readonly path: YamlPath;
  readonly at: "key" | "value";
  readonly message: string;
}

export function readConfigurationFile(path: string): HostConfiguration {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new ConfigurationError([`${path}: cannot be read: ${systemErrorText(error)}`]);
  }
  return withPathsFrom(dirname(resolve(path)), parseConfiguration(text, path));
}

/** Paths in a file start where the file is. */
function withPathsFrom(folder: string, configuration: HostConfiguration): HostConfiguration {
  const guests = configuration.guests.map((guest) => {
    if (!guest.boot) return guest;
    const files = Object.entries(guest.boot).filter(([key]) => key === "kernel" || key === "initrd" || key === "disk");
    const resolved = files.map(([key, path]) => [key, resolve(folder, String(path))]);
    return { ...guest, boot: { ...guest.boot, ...Object.fromEntries(resolved) } };
  });
  return { ...configuration, guests };
}

/** `fileName` is what messages call it. */
export function parseConfiguration(text: string, fileName: string): HostConfiguration {
  if (text.length > maxFileBytes) throw new ConfigurationError([`${fileName}: larger than ${maxFileBytes} bytes`]);
  const yaml = parseLocatedYaml(text, textKeys);
  if (yaml.problems.length > 0) {
    throw new ConfigurationError(yaml.problems.map(({ location, message }) => `${at(fileName, location)}: ${message}`));
  }
  return checkedConfiguration(yaml.value ?? null, (problem) => `${at(fileName, locationOf(yaml, problem))}: ${describe(problem)}`);
}

/** The same from an object, for tests and programs; messages have no place in a file. */
export function configurationFrom(value: unknown): HostConfiguration {
  return checkedConfiguration(value, describe);
}

function checkedConfiguration(value: unknown, line: (problem: ConfigurationProblem) => string): HostConfiguration {
  const parsed = v.safeParse(configurationSchema, value);
  if (!parsed.success) throw new ConfigurationError(unique(parsed.issues.map((issue) => line(problemOf(issue)))).sort(byPlace));
  const { configuration, problems } = completeConfiguration(parsed.output);
  if (problems.length > 0) throw new ConfigurationError(problems.map(line));
  return configuration;
}

function problemOf(issue: v.BaseIssue<unknown>): ConfigurationProblem {
  const path = (issue.path ?? []).map((step) => step.key as string | number);
  const last = issue.path?.at(-1);
  const isKey = (last as { origin?: string } | undefined)?.origin === "key";
  if (issue.type === "strict_object" && isKey) {
    const key = String(last?.key);
    const entries = entriesAt(path.slice(0, -1));
    if (issue.expected === "never") {
      const nearest = nearestWord(key, Object.keys(entries));
      const hint = nearest ? `did you mean ${nearest}?` : `expected one of ${Object.keys(entries).join(", ")}`;
      return { path, at: "key", message: `unknown key; ${hint}` };
    }
    return { path: path.slice(0, -1), at: "value", message: `${key} is missing: expected ${expectationOf(entries[key])}` };
  }
  return { path, at: isKey ? "key" : "value", message: `expected ${issue.message}, got ${shown(issue.input)}` };
}

const at = (fileName: string, { line, column }: Location): string => `${fileName}:${line}:${column}`;
const describe = ({ path, message }: ConfigurationProblem): string => (path.length > 0 ? `${path.join(".")}: ${message}` : message);
const locationOf = (yaml: LocatedYaml, { path, at }: ConfigurationProblem): Location => yaml.locate(path, at);
/** `file:2:9: …` before `file:10:1: …`; lines without a place stay where they are. */
const byPlace = (left: string, right: string): number => {
  const place = (text: string): number[] => (/^[^\n]*?:(\d+):(\d+): /.exec(text) ?? []).slice(1).map(Number);
  const [leftLine = 0, leftColumn = 0] = place(left);
  const [rightLine = 0, rightColumn = 0] = place(right);
  return leftLine - rightLine || leftColumn - rightColumn;
};

const unique = (lines: readonly string[]): string[] => [...new Set(lines)];

function shown(input: unknown): string {
  const text = JSON.stringify(input) ?? String(input);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** The parts of a schema that say which keys it has. */
interface SchemaShape {
  readonly entries?: Readonly<Record<string, SchemaShape>>;
  readonly wrapped?: SchemaShape;
  readonly value?: SchemaShape;
  readonly pipe?: readonly SchemaShape[];
  readonly message?: unknown;
}

function entriesAt(path: YamlPath): Readonly<Record<string, SchemaShape>> {
  let shape = unwrapped(configurationSchema as SchemaShape);
  for (const step of path) {
    const next = shape?.entries?.[String(step)] ?? shape?.value;
    shape = unwrapped(next);
  }
  return shape?.entries ?? {};
}

function unwrapped(shape: SchemaShape | undefined): SchemaShape | undefined {
  if (shape?.wrapped) return unwrapped(shape.wrapped);
  return shape?.pipe ? (shape.pipe.find((part) => part.entries ?? part.value) ?? shape) : shape;
}

const expectationOf = (shape: SchemaShape | undefined): string => (typeof shape?.message === "string" ? shape.message : "a value");
