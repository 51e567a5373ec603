/**
 * The names of s390x CPU features, in the order of QEMU's feature bits: lists and messages come in this order. Groups stand for all of
 * their features. Source: what QEMU's own -cpu help prints, and the names that QEMU 9.2 and 10.0 added (gen17, secure guests' AP).
 */
const words = (text: string): readonly string[] => text.trim().split(/\s+/);

export const featureNames: readonly string[] = words(`
  esan3 zarch dateh idtes idter asnlxr stfle edat srs csske ctop apqci ipter nonqks apft etf2 msa-base ldisp ldisphp hfpm eimm etf3 hfpue
  etf2eh stckf parseh mvcos tods-base etf3eh ectg csst csst2 ginste exrl emon fpe opc sprogp fpseh dfp dfphp pfpo stfle45 cmpsceh dfpzc
  stfle49 cte ltlbc iacc2 stfle53 eec msa5-base minste2 sema tsi minste3 ri apqi zpci aen ais te sthyi aefsi msa3-base msa4-base edat2
  dfppc ppa15 bpb minste4 sif msa12-base plo-ext vx iep sea_esop2 gs vxpd vxeh mepoch els tpei irbm msa8-base cmmnt vxeh2 esort-base
  deflate-base vxpdeh msa9-base etoken unpack nnpa ineff_nc_tx vxpdeh2 beareh rdp pai paie vxeh3 vxpdeh3 ccf-base gsls esop hpma2 kss
  64bscao cmma pfmfi ibs diag318 sief2 skey gpereh siif sigpif ib cei dateh2 cmm ap plo-cl plo-clg plo-clgr plo-clx plo-cs plo-csg
  plo-csgr plo-csx plo-dcs plo-dcsg plo-dcsgr plo-dcsx plo-csst plo-csstg plo-csstgr plo-csstx plo-csdst plo-csdstg plo-csdstgr plo-csdstx
  plo-cstst plo-cststg plo-cststgr plo-cststx plo-clo plo-cso plo-dcso plo-cssto plo-csdsto plo-cststo plo-tcs plo-tcsg plo-tcsx plo-tcso
  plo-qcs plo-qcsg plo-qcsx plo-qcso plo-lo plo-dlx plo-dlo plo-tl plo-tlg plo-tlx plo-tlo plo-ql plo-qlg plo-qlx plo-qlo plo-sto plo-dst
  plo-dstg plo-dstx plo-dsto plo-tst plo-tstg plo-tstx plo-tsto plo-qst plo-qstg plo-qstx plo-qsto ptff-qto ptff-qsi ptff-qpc ptff-qui
  ptff-qtou ptff-qtse ptff-qsie ptff-qtoue ptff-sto ptff-stou ptff-stoe ptff-stoue kmac-dea kmac-tdea-128 kmac-tdea-192 kmac-edea
  kmac-etdea-128 kmac-etdea-192 kmac-aes-128 kmac-aes-192 kmac-aes-256 kmac-eaes-128 kmac-eaes-192 kmac-eaes-256 kmac-hmac-sha-224
  kmac-hmac-sha-246 kmac-hmac-sha-384 kmac-hmac-sha-512 kmac-hmac-esha-224 kmac-hmac-esha-246 kmac-hmac-esha-384 kmac-hmac-esha-512
  kmac-qai kmc-dea kmc-tdea-128 kmc-tdea-192 kmc-edea kmc-etdea-128 kmc-etdea-192 kmc-aes-128 kmc-aes-192 kmc-aes-256 kmc-eaes-128
  kmc-eaes-192 kmc-eaes-256 kmc-prng km-dea km-tdea-128 km-tdea-192 km-edea km-etdea-128 km-etdea-192 km-aes-128 km-aes-192 km-aes-256
  km-eaes-128 km-eaes-192 km-eaes-256 km-xts-aes-128 km-xts-aes-256 km-xts-eaes-128 km-xts-eaes-256 km-full-xts-aes-128
  km-full-xts-aes-256 km-full-xts-eaes-128 km-full-xts-eaes-256 km-qai kimd-sha-1 kimd-sha-256 kimd-sha-512 kimd-sha3-224 kimd-sha3-256
  kimd-sha3-384 kimd-sha3-512 kimd-shake-128 kimd-shake-256 kimd-ghash kimd-qai klmd-sha-1 klmd-sha-256 klmd-sha-512 klmd-sha3-224
  klmd-sha3-256 klmd-sha3-384 klmd-sha3-512 klmd-shake-128 klmd-shake-256 klmd-qai pckmo-edea pckmo-etdea-128 pckmo-etdea-192
  pckmo-aes-128 pckmo-aes-192 pckmo-aes-256 pckmo-aes-xts-128-dk pckmo-aes-xts-256-dk pckmo-ecc-p256 pckmo-ecc-p384 pckmo-ecc-p521
  pckmo-ecc-ed25519 pckmo-ecc-ed448 pckmo-hmac-512 pckmo-hmac-1024 pckmo-qai kmctr-dea kmctr-tdea-128 kmctr-tdea-192 kmctr-edea
  kmctr-etdea-128 kmctr-etdea-192 kmctr-aes-128 kmctr-aes-192 kmctr-aes-256 kmctr-eaes-128 kmctr-eaes-192 kmctr-eaes-256 kmctr-qai kmf-dea
  kmf-tdea-128 kmf-tdea-192 kmf-edea kmf-etdea-128 kmf-etdea-192 kmf-aes-128 kmf-aes-192 kmf-aes-256 kmf-eaes-128 kmf-eaes-192
  kmf-eaes-256 kmf-qai kmo-dea kmo-tdea-128 kmo-tdea-192 kmo-edea kmo-etdea-128 kmo-etdea-192 kmo-aes-128 kmo-aes-192 kmo-aes-256
  kmo-eaes-128 kmo-eaes-192 kmo-eaes-256 kmo-qai pcc-cmac-dea pcc-cmac-tdea-128 pcc-cmac-tdea-192 pcc-cmac-edea pcc-cmac-etdea-128
  pcc-cmac-etdea-192 pcc-cmac-aes-128 pcc-cmac-aes-192 pcc-cmac-aes-256 pcc-cmac-eaes-128 pcc-cmac-eaes-192 pcc-cmac-eaes-256
  pcc-xts-aes-128 pcc-xts-aes-256 pcc-xts-eaes-128 pcc-xts-eaes-256 pcc-scalar-mult-p256 pcc-scalar-mult-p384 pcc-scalar-mult-p521
  pcc-scalar-mult-ed25519 pcc-scalar-mult-ed448 pcc-scalar-mult-x25519 pcc-scalar-mult-x448 pcc-qai ppno-sha-512-drng prno-trng-qrtcr
  prno-trng prno-qai kma-gcm-aes-128 kma-gcm-aes-192 kma-gcm-aes-256 kma-gcm-eaes-128 kma-gcm-eaes-192 kma-gcm-eaes-256 kma-qai
  kdsa-ecdsa-verify-p256 kdsa-ecdsa-verify-p384 kdsa-ecdsa-verify-p521 kdsa-ecdsa-sign-p256 kdsa-ecdsa-sign-p384 kdsa-ecdsa-sign-p521
  kdsa-eecdsa-sign-p256 kdsa-eecdsa-sign-p384 kdsa-eecdsa-sign-p521 kdsa-eddsa-verify-ed25519 kdsa-eddsa-verify-ed448
  kdsa-eddsa-sign-ed25519 kdsa-eddsa-sign-ed448 kdsa-eeddsa-sign-ed25519 kdsa-eeddsa-sign-ed448 kdsa-qai sortl-sflr sortl-svlr sortl-32
  sortl-128 sortl-f0 dfltcc-gdht dfltcc-cmpr dfltcc-xpnd dfltcc-f0 appv appvi pfcr-qaf pfcr-csdst pfcr-csdstg pfcr-cstst pfcr-cststg
`);

/** In the order in which QEMU lists them. */
export const featureGroups: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    plo: words(`
      plo-cl plo-clg plo-clgr plo-clx plo-cs plo-csg plo-csgr plo-csx plo-dcs plo-dcsg plo-dcsgr plo-dcsx plo-csst plo-csstg plo-csstgr
      plo-csstx plo-csdst plo-csdstg plo-csdstgr plo-csdstx plo-cstst plo-cststg plo-cststgr plo-cststx
    `),
    plo_ext: words(`
      plo-ext plo-clo plo-cso plo-dcso plo-cssto plo-csdsto plo-cststo plo-tcs plo-tcsg plo-tcsx plo-tcso plo-qcs plo-qcsg plo-qcsx
      plo-qcso plo-lo plo-dlx plo-dlo plo-tl plo-tlg plo-tlx plo-tlo plo-ql plo-qlg plo-qlx plo-qlo plo-sto plo-dst plo-dstg plo-dstx
      plo-dsto plo-tst plo-tstg plo-tstx plo-tsto plo-qst plo-qstg plo-qstx plo-qsto
    `),
    tods: words("tods-base ptff-qto ptff-qsi ptff-qpc ptff-sto"),
    gen13ptff: words("ptff-qui ptff-qtou ptff-stou"),
    gen17ptff: words("ptff-qtse"),
    msa: words(`
      msa-base kmac-dea kmac-tdea-128 kmac-tdea-192 kmc-dea kmc-tdea-128 kmc-tdea-192 km-dea km-tdea-128 km-tdea-192 kimd-sha-1 klmd-sha-1
    `),
    msa1: words("kmc-aes-128 km-aes-128 kimd-sha-256 klmd-sha-256"),
    msa2: words("kmc-aes-192 kmc-aes-256 kmc-prng km-aes-192 km-aes-256 kimd-sha-512 klmd-sha-512"),
    msa3: words(`
      msa3-base kmac-edea kmac-etdea-128 kmac-etdea-192 kmc-edea kmc-etdea-128 kmc-etdea-192 kmc-eaes-128 kmc-eaes-192 kmc-eaes-256
      km-edea km-etdea-128 km-etdea-192 km-eaes-128 km-eaes-192 km-eaes-256 pckmo-edea pckmo-etdea-128 pckmo-etdea-192 pckmo-aes-128
      pckmo-aes-192 pckmo-aes-256
    `),
    msa4: words(`
      msa4-base kmac-aes-128 kmac-aes-192 kmac-aes-256 kmac-eaes-128 kmac-eaes-192 kmac-eaes-256 km-xts-aes-128 km-xts-aes-256
      km-xts-eaes-128 km-xts-eaes-256 kimd-ghash kmctr-dea kmctr-tdea-128 kmctr-tdea-192 kmctr-edea kmctr-etdea-128 kmctr-etdea-192
      kmctr-aes-128 kmctr-aes-192 kmctr-aes-256 kmctr-eaes-128 kmctr-eaes-192 kmctr-eaes-256 kmf-dea kmf-tdea-128 kmf-tdea-192 kmf-edea
      kmf-etdea-128 kmf-etdea-192 kmf-aes-128 kmf-aes-192 kmf-aes-256 kmf-eaes-128 kmf-eaes-192 kmf-eaes-256 kmo-dea kmo-tdea-128
      kmo-tdea-192 kmo-edea kmo-etdea-128 kmo-etdea-192 kmo-aes-128 kmo-aes-192 kmo-aes-256 kmo-eaes-128 kmo-eaes-192 kmo-eaes-256
      pcc-cmac-dea pcc-cmac-tdea-128 pcc-cmac-tdea-192 pcc-cmac-edea pcc-cmac-etdea-128 pcc-cmac-etdea-192 pcc-cmac-aes-128
      pcc-cmac-aes-192 pcc-cmac-aes-256 pcc-cmac-eaes-128 pcc-cmac-eaes-192 pcc-cmac-eaes-256 pcc-xts-aes-128 pcc-xts-aes-256
      pcc-xts-eaes-128 pcc-xts-eaes-256
    `),
    msa5: words("msa5-base ppno-sha-512-drng"),
    msa6: words(`
      kimd-sha3-224 kimd-sha3-256 kimd-sha3-384 kimd-sha3-512 kimd-shake-128 kimd-shake-256 klmd-sha3-224 klmd-sha3-256 klmd-sha3-384
      klmd-sha3-512 klmd-shake-128 klmd-shake-256
    `),
    msa7: words("prno-trng-qrtcr prno-trng"),
    msa8: words("msa8-base kma-gcm-aes-128 kma-gcm-aes-192 kma-gcm-aes-256 kma-gcm-eaes-128 kma-gcm-eaes-192 kma-gcm-eaes-256"),
    msa9: words(`
      msa9-base pcc-scalar-mult-p256 pcc-scalar-mult-p384 pcc-scalar-mult-p521 pcc-scalar-mult-ed25519 pcc-scalar-mult-ed448
      pcc-scalar-mult-x25519 pcc-scalar-mult-x448 kdsa-ecdsa-verify-p256 kdsa-ecdsa-verify-p384 kdsa-ecdsa-verify-p521
      kdsa-ecdsa-sign-p256 kdsa-ecdsa-sign-p384 kdsa-ecdsa-sign-p521 kdsa-eecdsa-sign-p256 kdsa-eecdsa-sign-p384 kdsa-eecdsa-sign-p521
      kdsa-eddsa-verify-ed25519 kdsa-eddsa-verify-ed448 kdsa-eddsa-sign-ed25519 kdsa-eddsa-sign-ed448 kdsa-eeddsa-sign-ed25519
      kdsa-eeddsa-sign-ed448
    `),
    msa9_pckmo: words("pckmo-ecc-p256 pckmo-ecc-p384 pckmo-ecc-p521 pckmo-ecc-ed25519 pckmo-ecc-ed448"),
    msa10: words("km-full-xts-aes-128 km-full-xts-aes-256 km-full-xts-eaes-128 km-full-xts-eaes-256"),
    msa10_pckmo: words("pckmo-aes-xts-128-dk pckmo-aes-xts-256-dk"),
    msa11: words(`
      kmac-hmac-sha-224 kmac-hmac-sha-246 kmac-hmac-sha-384 kmac-hmac-sha-512 kmac-hmac-esha-224 kmac-hmac-esha-246 kmac-hmac-esha-384
      kmac-hmac-esha-512
    `),
    msa11_pckmo: words("pckmo-hmac-512 pckmo-hmac-1024"),
    msa12: words("msa12-base"),
    msa13: words("kmac-qai km-qai kimd-qai klmd-qai kmctr-qai kmf-qai kmo-qai pcc-qai prno-qai kma-qai kdsa-qai"),
    msa13_pckmo: words("pckmo-qai"),
    mepochptff: words("ptff-qsie ptff-qtoue ptff-stoe ptff-stoue"),
    esort: words("esort-base sortl-sflr sortl-svlr sortl-32 sortl-128 sortl-f0"),
    deflate: words("deflate-base dfltcc-gdht dfltcc-cmpr dfltcc-xpnd dfltcc-f0"),
    ccf: words("ccf-base pfcr-qaf pfcr-csdst pfcr-csdstg pfcr-cstst pfcr-cststg"),
  }),
);

/** What a word of -cpu stands for: a feature, or the features of a group; undefined where QEMU knows no such name. */
export function featuresNamed(name: string): readonly string[] | undefined {
  return featureGroups.get(name) ?? (featureSet.has(name) ? [name] : undefined);
}

const featureSet = new Set(featureNames);
