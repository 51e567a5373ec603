import { describe, expect, test } from "vitest";
import { baselineCpuModel, compareCpuModels, cpuDefinitions, expandCpuModel } from "./cpu-queries.ts";

const offer = { ap: true, apqci: true, apft: true, apqi: true };

describe("query-cpu-model-expansion", () => {
  test.each([
    [{ name: "z14-base" }, { name: "z14-base" }],
    [
      { name: "z14-base", props: { dfp: false, apqci: true } },
      { name: "z14-base", props: { dfp: false, apqci: true } },
    ],
    [{ name: "z990" }, { name: "z990-base" }],
    [{ name: "z9EC" }, { name: "z9EC-base", props: { msa1: true, sthyi: true, cmm: true } }],
    [
      { name: "z9EC", props: { cmm: false } },
      { name: "z9EC-base", props: { msa1: true, sthyi: true } },
    ],
  ])("makes %j static", (model, expanded) => {
    expect(expandCpuModel(offer, "static", model).model).toEqual(expanded);
  });

  test("of the host names its AP features", () => {
    const { props } = expandCpuModel(offer, "static", { name: "host" }).model;
    expect(props).toMatchObject({ ap: true, apqci: true, apft: true, apqi: true });
    expect(expandCpuModel({ ...offer, apqi: false }, "static", { name: "host" }).model.props).not.toHaveProperty("apqi");
  });

  test("tells deprecated features: those that are on, or all", () => {
    expect(expandCpuModel(offer, "static", { name: "z14" })["deprecated-props"]).toEqual(["bpb", "csske", "cte", "te"]);
    expect(expandCpuModel(offer, "static", { name: "gen15a" })["deprecated-props"]).toEqual(["cte", "te"]);
    expect(expandCpuModel(offer, "full", { name: "gen15a" })["deprecated-props"]).toEqual(["bpb", "csske", "cte", "te"]);
  });

  test.each([
    [{ name: "nosuch" }, "The CPU definition 'nosuch' is unknown."],
    [{ name: "z14", props: { foo: true } }, "Property 'z14-s390x-cpu.foo' not found"],
    [{ name: "z14", props: { ap: "on" } }, "Invalid parameter type for 'ap', expected: boolean"],
    [{ name: "z900", props: { ap: true } }, "Feature 'ap' is not available for CPU model 'z900', it was introduced with later models."],
  ])("of %j is refused", (model, text) => {
    expect(() => expandCpuModel(offer, "static", model)).toThrow(text);
  });
});

describe("query-cpu-model-comparison", () => {
  const newInZ14 = "mepoch vxeh vxpd gs iep tsi sema minste2 eec opc mepochptff msa8 msa7 msa6".split(" ");
  test.each([
    [{ name: "z13" }, { name: "z13" }, "identical", []],
    [{ name: "z14" }, { name: "z13" }, "superset", [...newInZ14, "type"]],
    [{ name: "z13" }, { name: "z14" }, "subset", [...newInZ14, "type"]],
    [{ name: "z13", props: { ap: true } }, { name: "z13" }, "superset", ["ap"]],
    [{ name: "z13", props: { ap: true } }, { name: "z13", props: { apft: true } }, "incompatible", ["ap", "apft"]],
    [{ name: "z13", props: { ap: true } }, { name: "z14" }, "incompatible", [...newInZ14, "ap", "type"]],
    [{ name: "gen15a" }, { name: "gen15b" }, "identical", []],
    [{ name: "z14" }, { name: "z14.2" }, "subset", ["type"]],
  ])("of %j with %j is %s", (a, b, result, properties) => {
    const comparison = compareCpuModels(offer, a, b);
    expect(comparison.result).toBe(result);
    expect([...comparison["responsible-properties"]].sort()).toEqual([...properties].sort());
  });
});

describe("query-cpu-model-baseline", () => {
  test.each([
    ["z14", "z13", "z13-base"],
    ["z14.2", "z14ZR1", "z14-base"],
    ["gen15a", "gen15b", "gen15b-base"],
    ["z14", "gen15a", "z14-base"],
  ])("of %s and %s starts from %s", (a, b, name) => {
    expect(baselineCpuModel(offer, { name: a }, { name: b }).model.name).toBe(name);
  });

  test("keeps what both have, AP too", () => {
    const { props } = baselineCpuModel(
      offer,
      { name: "z14", props: { ap: true, vx: false } },
      { name: "gen15a", props: { ap: true } },
    ).model;
    expect(props).toMatchObject({ ap: true, csske: false, msa8: true });
    expect(props).not.toHaveProperty("vx");
  });
});

describe("query-cpu-definitions", () => {
  const definition = (name: string) => cpuDefinitions(offer).find((info) => info.name === name);

  test("has two of each model, and host, max and qemu", () => {
    expect(definition("z14")).toEqual({
      name: "z14",
      typename: "z14-s390x-cpu",
      "unavailable-features": [],
      static: false,
      "migration-safe": true,
      deprecated: false,
    });
    expect(definition("z14-base")).toMatchObject({ static: true, "migration-safe": true });
    expect(definition("host")).toMatchObject({ static: false, "migration-safe": false, "unavailable-features": [] });
  });

  test("tells that a model is too new for the host", () => {
    expect(definition("gen17a")?.["unavailable-features"].at(-1)).toBe("type");
    expect(definition("gen16b")?.["unavailable-features"]).toEqual([]);
  });
});
