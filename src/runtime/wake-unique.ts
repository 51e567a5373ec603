/** Numbers of wake-ups, as they come back with the NOTIFY_REPLY: from the main thread, and from the model thread to itself. */
export const wakeUnique = { mailbox: 2, self: 4 } as const;
