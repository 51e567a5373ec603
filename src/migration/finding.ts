import type { ErrnoName } from "../sysfs/errno.ts";

/**
 * Every rule of a migration in the order in which it would be met, with who decides: what starts a move (`orchestration`), QEMU of either
 * side, the source's driver at its first read, the destination's driver on the byte that completes the data. The driver ends with
 * the first stage that has a finding; the rules of one stage are all looked at, and the last that fails says with which errno. Source of the driver's rules and their order: the draft of
 * Linux drivers/s390/crypto/vfio_ap_migration.c; of the rest: the document's chapter on live guest migration.
 */
export const migrationRules = {
  "key-load": { decidedBy: "orchestration", severity: "blocks" },
  "source-kernel": { decidedBy: "qemu", severity: "blocks" },
  "target-kernel": { decidedBy: "qemu", severity: "blocks" },
  "mdev-missing": { decidedBy: "orchestration", severity: "blocks" },
  "mdev-in-use": { decidedBy: "qemu", severity: "blocks" },
  "guest-name": { decidedBy: "qemu", severity: "blocks" },
  "cpu-facility": { decidedBy: "qemu", severity: "blocks" },
  "source-hwinfo": { decidedBy: "source-driver", severity: "blocks" },
  "queue-not-bound": { decidedBy: "target-driver", severity: "blocks", stage: 1 },
  "control-domain": { decidedBy: "target-driver", severity: "blocks", stage: 2 },
  hwinfo: { decidedBy: "target-driver", severity: "blocks", stage: 3 },
  apsc: { decidedBy: "target-driver", severity: "blocks", stage: 3 },
  mex4k: { decidedBy: "target-driver", severity: "blocks", stage: 3 },
  crt4k: { decidedBy: "target-driver", severity: "blocks", stage: 3 },
  "mode-cca": { decidedBy: "target-driver", severity: "blocks", stage: 3 },
  "mode-accelerator": { decidedBy: "target-driver", severity: "blocks", stage: 3 },
  "mode-ep11": { decidedBy: "target-driver", severity: "blocks", stage: 3 },
  apxa: { decidedBy: "target-driver", severity: "blocks", stage: 3 },
  filtering: { decidedBy: "target-driver", severity: "blocks", stage: 3 },
  type: { decidedBy: "target-driver", severity: "blocks", stage: 3 },
  "bind-state": { decidedBy: "target-driver", severity: "blocks", stage: 3 },
  class: { decidedBy: "target-driver", severity: "blocks", stage: 3 },
  "host-owned": { decidedBy: "target-driver", severity: "blocks", stage: 4 },
  "queue-in-use": { decidedBy: "target-driver", severity: "blocks", stage: 5 },
  limit: { decidedBy: "target-driver", severity: "blocks", stage: 6 },
  filtered: { decidedBy: "orchestration", severity: "warns" },
  overlay: { decidedBy: "orchestration", severity: "warns" },
  "master-key": { decidedBy: "orchestration", severity: "warns" },
  "master-key-unknown": { decidedBy: "orchestration", severity: "warns" },
} as const satisfies Record<string, Rule>;

interface Rule {
  readonly decidedBy: "orchestration" | "qemu" | "source-driver" | "target-driver";
  /** `blocks`: the move would fail, or is not begun. `warns`: it goes well, and something is not as it was. */
  readonly severity: "blocks" | "warns";
  readonly stage?: number;
}

export type RuleName = keyof typeof migrationRules;

export interface Finding {
  readonly rule: RuleName;
  readonly severity: Rule["severity"];
  readonly decidedBy: Rule["decidedBy"];
  /** A queue such as `05.0004`, `domain 0047`, a UUID, a guest; what it is about. */
  readonly subject: string;
  /** What is on each side. */
  readonly source: string;
  readonly target: string;
  /** What to do about it. */
  readonly remedy: string;
  /** What the driver would end with. */
  readonly errno?: ErrnoName;
}

export interface FindingText {
  readonly subject: string;
  readonly source: string;
  readonly target: string;
  readonly remedy: string;
  readonly errno?: ErrnoName;
}

export function finding(rule: RuleName, text: FindingText): Finding {
  const { decidedBy, severity } = migrationRules[rule];
  return { rule, severity, decidedBy, ...text };
}

export const isPossible = (findings: readonly Finding[]): boolean => findings.every(({ severity }) => severity !== "blocks");

/** What the destination's driver would answer to the source's data: an errno; undefined: it takes it. */
export function predictedErrno(findings: readonly Finding[]): ErrnoName | undefined {
  const reached = findings.flatMap(({ rule, errno }) => {
    const { stage } = migrationRules[rule] as Rule;
    return stage === undefined || errno === undefined ? [] : [{ stage, errno }];
  });
  const first = Math.min(...reached.map(({ stage }) => stage));
  return reached.filter(({ stage }) => stage === first).at(-1)?.errno;
}

/** A number of an adapter or domain as somebody may type it: as everything else names it, which is in hexadecimal. */
export const typed = (id: number): string => (id < 10 ? String(id) : `0x${id.toString(16)}`);
