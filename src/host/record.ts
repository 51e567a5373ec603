export function recordHost(_: { sysfs: string; masksSecrets: boolean; name: string | undefined }): { content: unknown; text: string } {
  throw new Error("later");
}
