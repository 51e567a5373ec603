import { describe, expect, test } from "vitest";
import type { HostOffer } from "../guest-port.ts";
import { QemuError } from "../qemu-error.ts";
import { cpuDefinitionList } from "./cpu-definition-list.ts";
import { checkRunnable, modelWarnings } from "./cpu-model.ts";
import { cpuOption } from "./cpu-option.ts";
import { featureGroups, featureNames } from "./feature-names.ts";

const all: HostOffer = { ap: true, apqci: true, apft: true, apqi: true };
const none: HostOffer = { ap: false, apqci: false, apft: false, apqi: false };
const apFeatures = ["ap", "apqci", "apft", "apqi"];

const apOf = (text: string, offer = all): string[] => apFeatures.filter((name) => cpuOption(text, offer).features.has(name));

describe("the AP features of a processor", () => {
  test.each([
    ["host", apFeatures],
    ["max", apFeatures],
    ["host,ap=on,apqci=on,apft=on", apFeatures],
    ["host,ap=off,apqci=off,apft=off,apqi=off", []],
    ["host,ap=no", ["apqci", "apft", "apqi"]],
    ["qemu", []],
    ["z13", []],
    ["z14", []],
    ["gen16a", []],
    ["zEC12,ap=on", ["ap"]],
    ["z14-base,ap=on", ["ap"]],
    ["z13,ap=on,apqci=on,apft=on,apqi=on", apFeatures],
    ["z14,ap=on,ap=off", []],
    ["z14,,ap=y", ["ap"]],
  ])("-cpu %s has %j", (text, features) => {
    expect(apOf(text)).toEqual(features);
  });

  test("follow what the host offers where the model is the host", () => {
    expect(apOf("host", { ...all, apqi: false })).toEqual(["ap", "apqci", "apft"]);
    expect(apOf("host", none)).toEqual([]);
  });
});

describe("-cpu", () => {
  test.each([
    ["nosuch", "unable to find CPU model 'nosuch'"],
    ["", "unable to find CPU model ''"],
    ["z14,ap", "Expected key=value format, found ap."],
    ["z14,+ap", "Expected key=value format, found +ap."],
    ["z14,foo=on", "can't apply global z14-s390x-cpu.foo=on: Property 'z14-s390x-cpu.foo' not found"],
    ["z14,ap=maybe", "can't apply global z14-s390x-cpu.ap=maybe: Parameter 'ap' expects 'on' or 'off'"],
    ["z14,apct=on", "can't apply global z14-s390x-cpu.apct=on: Property 'z14-s390x-cpu.apct' not found"],
    [
      "z900,ap=on",
      "can't apply global z900-s390x-cpu.ap=on: Feature 'ap' is not available for CPU model 'z900', it was introduced with later models.",
    ],
    [
      "z196,ap=on",
      "can't apply global z196-s390x-cpu.ap=on: Feature 'ap' is not available for CPU model 'z196', it was introduced with later models.",
    ],
    [
      "z900,msa=on",
      "can't apply global z900-s390x-cpu.msa=on: Group 'msa' is not available for CPU model 'z900', it was introduced with later models.",
    ],
    [
      "z14,appv=on",
      "can't apply global z14-s390x-cpu.appv=on: Feature 'appv' is not available for CPU model 'z14', it was introduced with later models.",
    ],
  ])("%s is refused", (text, message) => {
    expect(() => cpuOption(text, all)).toThrow(new QemuError(message));
  });

  test("takes the many features that a management program names", () => {
    const text =
      "gen16a-base,aen=on,vxpdeh=on,aefsi=on,csske=on,mepoch=on,msa9=on,msa8=on,msa7=on,msa6=on,msa5=on,msa4=on,msa3=on,msa2=on,msa1=on," +
      "sthyi=on,edat=on,ri=on,deflate=on,edat2=on,etoken=on,vx=on,ipter=on,mepochptff=on,ap=on,vxeh=on,vxpd=on,esop=on,msa9_pckmo=on," +
      "vxeh2=on,esort=on,apqi=on,apft=on,els=on,iep=on,apqci=on,cte=on,ais=on,bpb=on,gs=on,ppa15=on,zpci=on,sea_esop2=on,te=on,cmm=on," +
      "nnpa=on,vxpdeh2=on,beareh=on,rdp=on,pai=on,paie=on,diag318=on";
    const model = cpuOption(text, all);
    expect(modelWarnings(model)).toEqual([]);
    expect(() => checkRunnable(model, all)).not.toThrow();
  });
});

describe("a dependency that is not met", () => {
  test.each([
    ["z14,apqci=on", ["'apqci' requires 'ap'."]],
    ["z14,apqci=on,apft=on,apqi=on", ["'apqci' requires 'ap'.", "'apft' requires 'ap'.", "'apqi' requires 'ap'."]],
    ["gen16a,ap=on,appvi=on", ["'appvi' requires 'appv'."]],
    ["gen16a,appv=on", ["'appv' requires 'ap'."]],
    ["gen16a,vx=off", ["'vxpd' requires 'vx'.", "'vxeh' requires 'vx'.", "'nnpa' requires 'vx'."]],
    ["z14,ap=on,apqci=on", []],
  ])("-cpu %s warns of %j", (text, warnings) => {
    expect(modelWarnings(cpuOption(text, all))).toEqual(warnings);
  });
});

describe("a host", () => {
  test.each([
    ["z14,ap=on", "ap"],
    ["z14,ap=on,apqci=on", "ap apqci"],
    ["gen16a,ap=on,appv=on", "appv ap"],
  ])("without AP does not run -cpu %s", (text, missing) => {
    const message = `Some features requested in the CPU model are not available in the current configuration: ${missing}  `;
    expect(() => checkRunnable(cpuOption(text, none), none)).toThrow(message);
  });

  test("runs no model that is newer than itself", () => {
    const message = "Selected CPU generation is too new. Maximum supported model in the configuration: 'gen16a'";
    expect(() => checkRunnable(cpuOption("gen17a", all), all)).toThrow(new QemuError(message));
    expect(() => checkRunnable(cpuOption("gen16b", all), all)).not.toThrow();
  });

  test("is the model that its machine is", () => {
    const z14 = { ...all, machine: "z14" };
    expect(cpuOption("host", z14).definition.name).toBe("z14.2");
    expect(cpuOption("host", z14).features.has("nnpa")).toBe(false);
    expect(() => checkRunnable(cpuOption("gen15a", z14), z14)).toThrow("Maximum supported model in the configuration: 'z14.2'");
    const z13 = { ...all, machine: "z13" };
    expect(() => checkRunnable(cpuOption("z13.2", z13), z13)).not.toThrow();
    expect(() => checkRunnable(cpuOption("gen17a", { ...all, machine: "z17" }), { ...all, machine: "z17" })).not.toThrow();
  });
});

describe("the table of models", () => {
  test("has each model's base and defaults among what it may have", () => {
    for (const { allowed, base, defaults } of cpuDefinitionList) {
      expect([...base, ...defaults].filter((name) => !allowed.has(name))).toEqual([]);
    }
  });

  test("has AP among what zEC12 and later may have, and in no base or default", () => {
    const firstWithAp = cpuDefinitionList.find(({ allowed }) => allowed.has("ap"));
    expect(firstWithAp?.name).toBe("zEC12");
    expect(cpuDefinitionList.filter(({ base, defaults }) => base.has("ap") || defaults.has("ap"))).toEqual([]);
  });

  test("names every feature once, and groups only of features that there are", () => {
    expect(new Set(featureNames).size).toBe(featureNames.length);
    expect([...featureGroups.values()].flat().filter((name) => !featureNames.includes(name))).toEqual([]);
  });
});
