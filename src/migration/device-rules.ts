import { adapterName, domainName } from "../ap/apqn.ts";
import { type Finding, finding, typed } from "./finding.ts";
import { hasMasterKeys, masterKeyFindings } from "./key-rules.ts";
import { bindingFinding, compatibilityFindings, hwinfoFinding, isInformed, nameOf } from "./queue-rules.ts";
import type { MatrixFacts, QueueFacts, SideFacts } from "./side-facts.ts";

/** The rules for a vfio-ap device that moves: those of both drivers in their order, then what will not be as it was. */
export function deviceFindings(source: SideFacts, target: SideFacts): Finding[] {
  const there = new Map(target.queues.map((queue) => [nameOf(queue), queue]));
  const pairs = source.queues.map((queue) => [queue, there.get(nameOf(queue)) ?? absentQueue(queue)] as const);
  const present = pairs.filter(([, queue]) => queue.hasDevice);
  return [
    ...source.queues.flatMap((queue) => hwinfoFinding("source-hwinfo", queue, source)),
    ...pairs.flatMap(([, there]) => bindingFinding(there, source, target)),
    ...controlDomainFindings(source, target),
    ...pairs.flatMap(([here, there]) => [
      ...hwinfoFinding("hwinfo", there, target),
      ...(isInformed(here) && isInformed(there) ? compatibilityFindings(here, there, { source, target }) : []),
    ]),
    ...pairs.flatMap(([, there]) => ownershipFindings(there, target)),
    ...limitFindings(source, target),
    ...changeFindings(source, target),
    ...present.flatMap(([here, there]) => masterKeyFindings(here, there, target)),
    ...unknownKeyFindings(present),
  ];
}

/** A destination that says nothing about a queue has none. */
const absentQueue = ({ adapter, domain }: QueueFacts): QueueFacts => ({
  ...{ adapter, domain },
  ...{ driver: null, hasDevice: false, isHostOwned: false, owner: null, keys: null },
  tapq: { responseCode: 1, functions: 0, type: 0 },
});

function controlDomainFindings(source: SideFacts, target: SideFacts): Finding[] {
  const { controlDomains } = source.mdev?.guestMatrix ?? { controlDomains: [] };
  return controlDomains
    .filter((domain) => !target.controlDomains.includes(domain))
    .map((domain) =>
      finding("control-domain", {
        subject: `domain ${domainName(domain)}`,
        source: "control domain of the guest",
        target: `no control domain of ${target.host}`,
        remedy: `adjunct hw ${target.host} control-domain add ${domain}, or unassign it on ${source.host}`,
        errno: "ENODEV",
      }),
    );
}

function ownershipFindings(queue: QueueFacts, { host }: SideFacts): Finding[] {
  const subject = nameOf(queue);
  const owned = finding("host-owned", {
    subject,
    source: "of the guest",
    target: `of ${host}'s own drivers, by apmask and aqmask`,
    remedy: `on ${host}: echo -${typed(queue.adapter)} > /sys/bus/ap/apmask, or echo -${typed(queue.domain)} > /sys/bus/ap/aqmask`,
    errno: "EADDRNOTAVAIL",
  });
  const shared = finding("queue-in-use", {
    subject,
    source: "of the guest",
    target: `of mediated device ${queue.owner}`,
    remedy: `unassign adapter ${queue.adapter} or domain ${queue.domain} from ${queue.owner} on ${host}`,
    errno: "EADDRINUSE",
  });
  return [...(queue.isHostOwned ? [owned] : []), ...(queue.owner === null ? [] : [shared])];
}

function limitFindings({ mdev }: SideFacts, { limits, host }: SideFacts): Finding[] {
  const { adapters, domains, controlDomains } = mdev?.guestMatrix ?? { adapters: [], domains: [], controlDomains: [] };
  // Without queues neither adapters nor domains travel.
  const hasQueues = adapters.length > 0 && domains.length > 0;
  const beyond = (what: string, numbers: readonly number[], limit: number, name: (number: number) => string): Finding[] =>
    numbers
      .filter((number) => number > limit)
      .map((number) =>
        finding("limit", {
          subject: `${what} ${name(number)}`,
          source: "of the guest",
          target: `at most ${name(limit)}`,
          remedy: `${host} cannot have it: unassign it, or choose another destination`,
          errno: "ENODEV",
        }),
      );
  return [
    ...beyond("adapter", hasQueues ? adapters : [], limits.adapter, adapterName),
    ...beyond("domain", [...new Set([...(hasQueues ? domains : []), ...controlDomains])], limits.domain, domainName),
  ];
}

/** What is not as it was after a move that goes well. */
function changeFindings({ mdev, host }: SideFacts, target: SideFacts): Finding[] {
  if (!mdev) return [];
  const findings: Finding[] = [];
  const lost = missing(mdev.matrix, mdev.guestMatrix);
  if (lost !== "") {
    findings.push(
      finding("filtered", {
        subject: mdev.uuid,
        source: `assigned and not the guest's: ${lost}`,
        target: "will not be assigned",
        remedy: `assign it on ${target.host} afterwards, or make it usable on ${host} before: only guest_matrix moves`,
      }),
    );
  }
  const replaced = target.mdev ? missing(target.mdev.matrix, mdev.guestMatrix) : "";
  if (replaced !== "") {
    findings.push(
      finding("overlay", {
        subject: mdev.uuid,
        source: "replaces the configuration",
        target: `will no longer be assigned: ${replaced}`,
        remedy: `nothing, if ${target.host} does not need it: the guest's configuration takes its place`,
      }),
    );
  }
  return findings;
}

/** Adapters, domains and control domains that are in the first and not in the second. */
function missing(first: MatrixFacts, second: MatrixFacts): string {
  const parts = [
    ["adapter", "adapters", adapterName],
    ["domain", "domains", domainName],
    ["control domain", "controlDomains", domainName],
  ] as const;
  return parts
    .flatMap(([word, key, name]) => first[key].filter((id) => !second[key].includes(id)).map((id) => `${word} ${name(id)}`))
    .join(", ");
}

/** One warning for all, since a queue that vfio_ap has shows no patterns on a real host. */
function unknownKeyFindings(pairs: readonly (readonly [QueueFacts, QueueFacts])[]): Finding[] {
  const unknown = pairs.filter(([here, there]) => hasMasterKeys(here) && (!here.keys || !there.keys));
  const [first] = unknown;
  if (!first) return [];
  const knowledge = (side: 0 | 1): string => (unknown.some((pair) => !pair[side].keys) ? "master keys unknown" : "master keys known");
  const names = unknown.map(([here]) => nameOf(here)).sort();
  return [
    finding("master-key-unknown", {
      subject: names.length > 3 ? `${names.length} queues` : names.join(", "),
      source: knowledge(0),
      target: knowledge(1),
      remedy: "compare mkvps of the queues on both hosts while the host's own drivers have them: a queue of vfio_ap shows none",
    }),
  ];
}
