/**
 * In which order QEMU prints the members of an object: it keeps them in a hash table of 512 buckets and prints bucket after bucket, in a
 * bucket the newest first. The function is that of the trivial database (TDB). Source: QEMU 10.2.2 qobject/qdict.c.
 */
export function membersInOrder(members: readonly (readonly [string, unknown])[]): readonly (readonly [string, unknown])[] {
  if (members.length < 2) return members;
  return members
    .map((member) => ({ member, bucket: bucketOf(member[0]) }))
    .reverse()
    .sort((left, right) => left.bucket - right.bucket)
    .map(({ member }) => member);
}

function bucketOf(name: string): number {
  const bytes = Buffer.from(name);
  let hash = Math.imul(0x238f13af, bytes.length);
  bytes.forEach((byte, index) => {
    hash = (hash + (byte << ((index * 5) % 24))) | 0;
  });
  return (Math.imul(hash, 1103515243) + 12345) & 511;
}
