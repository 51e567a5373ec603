import { Refusal } from "./control-protocol.ts";
import { nearestWord } from "./nearest-word.ts";

/** Why there is no guest `name`, where `running` are; in the words in which an unknown host is refused. */
export function absentGuest(name: string, running: Iterable<string>): Refusal {
  const names = [...running].sort();
  if (names.length === 0) return new Refusal(`no guest ${name}: none is running`);
  const nearest = nearestWord(name, names);
  return new Refusal(`no guest ${name}; ${nearest ? `did you mean ${nearest}? ` : ""}running: ${names.join(", ")}`);
}
