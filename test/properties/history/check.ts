/** A property that does not hold: `message` begins with the property's name. */
export function check(holds: boolean, message: () => string): asserts holds {
  if (!holds) throw new Error(message());
}
