/** The private networks that services and partners may be in, as the stack names them. */
export function allowedNetworks(): { readonly allowed: readonly string[] } {
  const { HMS_ALLOW_TARGETS: targets = '' } = process.env;
  return { allowed: targets.split(',').filter((network) => network !== '') };
}
