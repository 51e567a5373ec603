import { expect, test } from "vitest";
import { runCommand } from "./commands.ts";
import { configurationFrom } from "./configuration-file.ts";
import { createHost } from "./create-host.ts";
import type { Host } from "./host.ts";

const host = createHost({ ...configurationFrom({ name: "lpar1" }), rules: { modules: [] } }, () => {}) as Host;

test.each([
  [{ do: "boom" }, /^not a command of a host: do: expected .*"read".*, received "boom"$/],
  [{ do: "hw", action: "boom" }, /: action: expected .*"card checkstop".*, received "boom"$/],
  [{ do: "guest", action: "boom" }, /: action: expected .*"power-off".*, received "boom"$/],
  [{ do: "read" }, /: path: missing$/],
  [{ do: "hw", action: "card remove", id: 256 }, /: id: expected <=255, received 256$/],
  [7, /: expected Object, received 7$/],
])("%j is refused with what is wrong in it", (request, message) => {
  expect(() => runCommand(host, request)).toThrow(message);
});

test("an unknown guest is refused with those that run", () => {
  const ask = (): unknown => runCommand(host, { do: "dmesg", guest: "guest9" });
  expect(ask).toThrow("no guest guest9: none is running");
  for (const name of ["guest1", "web"]) host.createGuest(name, { ap: true, qci: true, apft: true, apqi: true, msa3: true });
  expect(ask).toThrow("no guest guest9; did you mean guest1? running: guest1, web");
});
