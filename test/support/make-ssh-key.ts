import ssh2 from 'ssh2';

/** An Ed25519 key pair. Of those that ssh2 makes, one in some hundred it cannot read itself. */
export function makeSshKey(): ReturnType<typeof ssh2.utils.generateKeyPairSync> {
  for (;;) {
    const key = ssh2.utils.generateKeyPairSync('ed25519');
    if (!(ssh2.utils.parseKey(key.private) instanceof Error)) return key;
  }
}
