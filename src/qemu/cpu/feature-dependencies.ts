/** A feature, and those that make no sense without it. QEMU only warns of that. Source: what QEMU warns of when one is taken away. */
const table: readonly (readonly [feature: string, dependents: string])[] = [
  ["dateh", "idtes ipter ltlbc"],
  ["edat", "edat2 pfmfi"],
  [
    "msa-base",
    "kimd-sha3-224 kimd-sha3-256 kimd-sha3-384 kimd-sha3-512 kimd-shake-128 kimd-shake-256 klmd-sha3-224 klmd-sha3-256 klmd-sha3-384 klmd-sha3-512 klmd-shake-128 klmd-shake-256",
  ],
  ["ldisp", "ldisphp"],
  ["stckf", "mepoch"],
  ["tods-base", "mepoch"],
  ["dfp", "dfphp"],
  ["stfle49", "sema te"],
  ["ltlbc", "rdp"],
  ["msa5-base", "prno-trng-qrtcr prno-trng"],
  ["msa3-base", "msa4-base msa8-base msa9-base"],
  ["msa4-base", "msa9-base km-full-xts-aes-128 km-full-xts-aes-256 km-full-xts-eaes-128 km-full-xts-eaes-256"],
  ["vx", "vxpd vxeh nnpa vxeh3"],
  ["sea_esop2", "iep gs"],
  ["vxpd", "vxpdeh"],
  ["mepoch", "ptff-qsie ptff-qtoue ptff-stoe ptff-stoue"],
  ["els", "diag318"],
  ["vxpdeh", "vxpdeh2"],
  ["gsls", "cmma"],
  ["esop", "sea_esop2"],
  ["sief2", "kss"],
  ["cmm", "cmmnt cmma"],
  ["ap", "apqci apft apqi appv"],
  ["kimd-sha-512", "msa5-base"],
  ["klmd-sha-512", "msa5-base"],
  ["appv", "appvi"],
  ["vxpdeh2", "vxpdeh3"],
  ["te", "ineff_nc_tx"],
  ["ccf-base", "pfcr-csdst pfcr-csdstg pfcr-cstst pfcr-cststg"],
];

const dependencies = table.flatMap(([required, dependents]) => dependents.split(" ").map((feature) => ({ feature, required })));

/** What is on although something that it requires is off, as QEMU's warnings say it. */
export const brokenDependencies = (features: ReadonlySet<string>): string[] =>
  dependencies
    .filter(({ feature, required }) => features.has(feature) && !features.has(required))
    .map(({ feature, required }) => `'${feature}' requires '${required}'.`);
