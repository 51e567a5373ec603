import { featureNames, featuresNamed } from "./feature-names.ts";

/** One model as QEMU defines it. The sets hold features, no groups. */
export interface CpuDefinition {
  readonly name: string;
  readonly title: string;
  readonly generation: number;
  /** Its place among the machines of a generation. */
  readonly ga: number;
  /** What -cpu may turn on. */
  readonly allowed: ReadonlySet<string>;
  /** What NAME-base has: this never changes. */
  readonly base: ReadonlySet<string>;
  /** What NAME has by itself. */
  readonly defaults: ReadonlySet<string>;
}

interface Step {
  readonly name: string;
  readonly title: string;
  readonly generation: number;
  readonly ga: number;
  /** Features that this model is the first to know. */
  readonly allows?: string;
  readonly base?: string;
  readonly adds?: string;
  /** Features that are neither in the base nor in the defaults from here on. */
  readonly drops?: string;
}

/**
 * What each model adds to the one before it, in QEMU's order. Source: query-cpu-model-expansion of every model, with every feature tried on
 * each; gen17 and the secure guests' AP from QEMU 9.2 and 10.0.
 */
const steps: readonly Step[] = [
  {
    name: "z900",
    title: "IBM zSeries 900 GA1",
    generation: 7,
    ga: 1,
    allows: "plo esan3 zarch ppa15 bpb sief2 skey gpereh ib cei",
    base: "plo esan3 zarch",
  },
  { name: "z900.2", title: "IBM zSeries 900 GA2", generation: 7, ga: 2, allows: "etf2" },
  { name: "z900.3", title: "IBM zSeries 900 GA3", generation: 7, ga: 3, allows: "ldisp siif" },
  { name: "z800", title: "IBM zSeries 800 GA1", generation: 7, ga: 3 },
  {
    name: "z990",
    title: "IBM zSeries 990 GA1",
    generation: 8,
    ga: 1,
    allows: "msa dateh ldisphp hfpm gsls 64bscao",
    base: "msa dateh etf2 ldisp ldisphp hfpm",
  },
  { name: "z990.2", title: "IBM zSeries 990 GA2", generation: 8, ga: 2 },
  { name: "z990.3", title: "IBM zSeries 990 GA3", generation: 8, ga: 3, allows: "asnlxr etf3" },
  { name: "z890", title: "IBM zSeries 880 GA1", generation: 8, ga: 3 },
  { name: "z990.4", title: "IBM zSeries 990 GA4", generation: 8, ga: 4 },
  { name: "z890.2", title: "IBM zSeries 880 GA2", generation: 8, ga: 4 },
  { name: "z990.5", title: "IBM zSeries 990 GA5", generation: 8, ga: 5 },
  { name: "z890.3", title: "IBM zSeries 880 GA3", generation: 8, ga: 5 },
  {
    name: "z9EC",
    title: "IBM System z9 EC GA1",
    generation: 9,
    ga: 1,
    allows: "tods msa1 idtes stfle srs eimm hfpue etf2eh stckf etf3eh sthyi cmma dateh2 cmm",
    base: "tods idtes asnlxr stfle srs eimm etf3 hfpue etf2eh stckf etf3eh dateh2",
    adds: "msa1 sthyi cmm",
  },
  { name: "z9EC.2", title: "IBM System z9 EC GA2", generation: 9, ga: 2, allows: "mvcos ectg csst fpseh dfp" },
  { name: "z9BC", title: "IBM System z9 BC GA1", generation: 9, ga: 2 },
  { name: "z9EC.3", title: "IBM System z9 EC GA3", generation: 9, ga: 3, allows: "csske pfpo" },
  { name: "z9BC.2", title: "IBM System z9 BC GA2", generation: 9, ga: 3 },
  {
    name: "z10EC",
    title: "IBM System z10 EC GA1",
    generation: 10,
    ga: 1,
    allows: "msa2 edat ctop parseh csst2 ginste exrl dfphp esop pfmfi sigpif",
    base: "csske parseh mvcos ectg csst csst2 ginste exrl fpseh dfp dfphp pfpo",
    adds: "msa2 edat",
  },
  { name: "z10EC.2", title: "IBM System z10 EC GA2", generation: 10, ga: 2, allows: "sprogp ibs" },
  { name: "z10BC", title: "IBM System z10 BC GA1", generation: 10, ga: 2 },
  { name: "z10EC.3", title: "IBM System z10 EC GA3", generation: 10, ga: 3, allows: "msa3" },
  { name: "z10BC.2", title: "IBM System z10 BC GA2", generation: 10, ga: 3 },
  {
    name: "z196",
    title: "IBM zEnterprise 196 GA1",
    generation: 11,
    ga: 1,
    allows: "msa4 ipter nonqks emon fpe stfle45 cmpsceh iacc2 aefsi",
    base: "nonqks emon fpe sprogp stfle45 cmpsceh iacc2",
    adds: "msa3 msa4 ipter aefsi ppa15 bpb",
  },
  { name: "z196.2", title: "IBM zEnterprise 196 GA2", generation: 11, ga: 2 },
  { name: "z114", title: "IBM zEnterprise 114 GA1", generation: 11, ga: 2 },
  {
    name: "zEC12",
    title: "IBM zEnterprise EC12 GA1",
    generation: 12,
    ga: 1,
    allows: "apqci apft dfpzc stfle49 cte ltlbc ri apqi zpci aen ais te edat2 sea_esop2 els diag318 ap",
    base: "dfpzc stfle49 ltlbc",
    adds: "cte ri zpci aen te edat2 sea_esop2 esop",
  },
  { name: "zEC12.2", title: "IBM zEnterprise EC12 GA2", generation: 12, ga: 2, allows: "msa5" },
  { name: "zBC12", title: "IBM zEnterprise BC12 GA1", generation: 12, ga: 2 },
  {
    name: "z13",
    title: "IBM z13 GA1",
    generation: 13,
    ga: 1,
    allows: "gen13ptff stfle53 dfppc vx",
    base: "gen13ptff stfle53 dfppc",
    adds: "msa5 vx",
  },
  { name: "z13.2", title: "IBM z13 GA2", generation: 13, ga: 2 },
  { name: "z13s", title: "IBM z13s GA1", generation: 13, ga: 2 },
  {
    name: "z14",
    title: "IBM z14 GA1",
    generation: 14,
    ga: 1,
    allows: "msa6 msa7 msa8 mepochptff opc eec minste2 sema tsi iep gs vxpd vxeh mepoch tpei irbm cmmnt etoken hpma2 kss",
    base: "opc eec minste2 sema tsi",
    adds: "msa6 msa7 msa8 mepochptff iep gs vxpd vxeh mepoch",
  },
  { name: "z14.2", title: "IBM z14 GA2", generation: 14, ga: 2 },
  { name: "z14ZR1", title: "IBM z14 Model ZR1 GA1", generation: 14, ga: 1 },
  {
    name: "gen15a",
    title: "IBM z15 T01 GA1",
    generation: 15,
    ga: 1,
    allows: "msa9 msa9_pckmo esort deflate minste3 vxeh2 vxpdeh unpack",
    base: "minste3",
    adds: "msa9 msa9_pckmo deflate vxeh2 vxpdeh etoken",
    drops: "bpb csske",
  },
  { name: "gen15b", title: "IBM z15 T02 GA1", generation: 15, ga: 1 },
  {
    name: "gen16a",
    title: "IBM 3931 GA1",
    generation: 16,
    ga: 1,
    allows: "nnpa vxpdeh2 beareh rdp pai paie appv appvi",
    adds: "nnpa vxpdeh2 beareh rdp pai paie",
  },
  { name: "gen16b", title: "IBM 3932 GA1", generation: 16, ga: 1 },
  {
    name: "gen17a",
    title: "IBM 9175 GA1",
    generation: 17,
    ga: 1,
    allows: "plo_ext gen17ptff msa10 msa10_pckmo msa11 msa11_pckmo msa12 msa13 msa13_pckmo ccf minste4 sif ineff_nc_tx vxeh3 vxpdeh3",
    base: "plo_ext msa12 minste4 sif",
    adds: "msa10 msa10_pckmo msa11 msa11_pckmo msa13 msa13_pckmo vxeh3 vxpdeh3",
  },
  { name: "gen17b", title: "IBM 9176 GA1", generation: 17, ga: 1 },
];

/** In QEMU's order, the oldest first. */
export const cpuDefinitionList: readonly CpuDefinition[] = build();

const byName = new Map(cpuDefinitionList.map((definition) => [definition.name, definition]));

export const cpuDefinition = (name: string): CpuDefinition | undefined => byName.get(name);

/** Features in the order of their bits. */
export const inOrder = (features: ReadonlySet<string>): string[] => featureNames.filter((name) => features.has(name));

/** The later of two definitions' generations decides, then its GA level. */
export const isLater = (one: CpuDefinition, other: CpuDefinition): boolean =>
  one.generation > other.generation || (one.generation === other.generation && one.ga > other.ga);

/** Models that add nothing share their sets with the one before. */
function build(): CpuDefinition[] {
  let allowed: ReadonlySet<string> = new Set();
  let base: ReadonlySet<string> = new Set();
  let defaults: ReadonlySet<string> = new Set();
  return steps.map(({ name, title, generation, ga, ...step }) => {
    allowed = changed(allowed, step.allows);
    base = changed(base, step.base, step.drops);
    defaults = changed(defaults, [step.base, step.adds].filter(Boolean).join(" "), step.drops);
    return { name, title, generation, ga, allowed, base, defaults };
  });
}

function changed(set: ReadonlySet<string>, added = "", dropped = ""): ReadonlySet<string> {
  if (added === "" && dropped === "") return set;
  const named = (text: string): string[] => text.split(" ").flatMap((name) => featuresNamed(name) ?? []);
  const without = new Set(named(dropped));
  return new Set([...set, ...named(added)].filter((name) => !without.has(name)));
}
