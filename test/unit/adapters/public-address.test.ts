import { describe, expect, it } from 'vitest';
import { addressCheck } from '../../../src/adapters/runtime/public-address.ts';

const noDns = async (host: string): Promise<string[]> => {
  throw new Error(`asked DNS for ${host}`);
};
const publicOnly = addressCheck({ allowPrivate: false }, noDns);
const privateToo = addressCheck({ allowPrivate: true }, noDns);

const publicAddresses = ['8.8.8.8', '1.1.1.1', '172.32.0.1', '2606:4700::1111', '2a00:1450::1'];
const privateAddresses = [
  '10.0.0.1',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '127.0.0.1',
  '127.255.0.9',
  '100.64.0.1',
  '100.127.255.255',
  '::1',
  'fc00::1',
  'fd12:3456::1',
  '::ffff:10.0.0.1',
  '::ffff:7f00:1',
  // Taken for the IPv4 address that it was meant to be, long ago.
  '::127.0.0.1',
];
/** Also where private networks are allowed. */
const neverAddresses = [
  '0.0.0.0',
  '0.1.2.3',
  '169.254.169.254',
  '169.254.0.1',
  '::ffff:169.254.169.254',
  'fd00:ec2::254',
  'fe80::1',
  'fe80::1%eth0',
  'fec0::1',
  '::',
  '::ffff:0:127.0.0.1',
  '64:ff9b::7f00:1',
  '64:ff9b::8.8.8.8',
  '64:ff9b:1::1',
  '2002:7f00:1::',
  '2002:808:808::1',
  '2001::1',
  '2001:db8::1',
  '100::1',
  '4000::1',
  '224.0.0.1',
  'ff02::1',
  '255.255.255.255',
  '240.0.0.1',
  '192.0.0.8',
  '192.0.2.1',
  '192.88.99.1',
  '198.18.0.1',
  '198.51.100.1',
  '203.0.113.1',
];

describe('addressCheck', () => {
  it.each(publicAddresses)('lets %s through', async (address) => {
    expect(await publicOnly(address)).toMatchObject({ address, isPublic: true });
    expect(await privateToo(address)).toMatchObject({ address, isPublic: true });
  });

  it.each(privateAddresses)('lets %s through only where private ones are allowed', async (one) => {
    expect(await publicOnly(one)).toBeUndefined();
    expect(await privateToo(one)).toMatchObject({ isPublic: false });
  });

  it.each(neverAddresses)('never lets %s through', async (address) => {
    expect(await publicOnly(address)).toBeUndefined();
    expect(await privateToo(address)).toBeUndefined();
  });

  it('connects to an IPv4 address within an IPv6 one as to what it is', async () => {
    expect(await privateToo('[::ffff:127.0.0.1]')).toEqual({
      address: '127.0.0.1',
      family: 4,
      isPublic: false,
    });
    expect(await privateToo('[::1]')).toEqual({ address: '::1', family: 6, isPublic: false });
  });

  it('lets just the networks of a list through, besides the public ones', async () => {
    const check = addressCheck({ allowed: ['10.20.0.0/16', 'fd00:1::/64'] }, noDns);
    expect(await check('10.20.255.1')).toMatchObject({ isPublic: false });
    expect(await check('::ffff:10.20.0.1')).toMatchObject({ address: '10.20.0.1', family: 4 });
    expect(await check('fd00:1::9')).toMatchObject({ family: 6 });
    expect(await check('8.8.8.8')).toMatchObject({ isPublic: true });
    for (const other of ['10.21.0.1', '127.0.0.1', 'fd00:1:0:1::9', '169.254.169.254']) {
      expect(await check(other)).toBeUndefined();
    }
  });

  it.each(['10.0.0.0', '10.0.0.0/33', 'localhost', ''])('refuses "%s" as a network', (cidr) => {
    expect(() => addressCheck({ allowed: [cidr] })).toThrow('no network');
  });

  it.each([
    ['to a public address', ['8.8.8.8'], true],
    ['to several public ones', ['8.8.8.8', '2606:4700::1111'], true],
    ['to a private address', ['10.0.0.1'], false],
    ['to the metadata service', ['169.254.169.254'], false],
    ['to a public and a private one', ['8.8.8.8', '127.0.0.1'], false],
    ['to a private and a public one', ['::1', '8.8.8.8'], false],
    ['nowhere', [], false],
    ['to what is no address', ['localhost'], false],
  ])('looks at all addresses of a name that leads %s', async (_, addresses, isFine) => {
    const asked: string[] = [];
    const check = addressCheck({ allowPrivate: false }, async (host) => {
      asked.push(host);
      return addresses;
    });
    expect((await check('partner.example')) !== undefined).toBe(isFine);
    expect(asked).toEqual(['partner.example']);
  });

  it.each(['localhost', '2130706433', '0x7f.1'])('knows "%s" for what it is', async (host) => {
    const check = addressCheck({ allowPrivate: false });
    // Some resolvers take such numbers for an address, others for a name that is not there.
    expect(await check(host).catch(() => undefined)).toBeUndefined();
  });
});
