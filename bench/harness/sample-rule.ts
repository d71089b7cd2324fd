/** A rule whose minimised JSON has 1 KB (1024 bytes). */
export function sampleRule(id: string, version: string): string {
  const lines = [
    `id: ${id}`,
    `version: ${version}`,
    'units: watts_eirp',
    'limit: 500',
    'applies_to: [rural, urban]',
    'tags: [spectrum, fcc, 5g]',
  ];
  const fields = { id, version, units: 'watts_eirp', limit: 500, note: '' };
  const lists = { applies_to: ['rural', 'urban'], tags: ['spectrum', 'fcc', '5g'] };
  const without = JSON.stringify({ ...fields, ...lists }).length;
  const note = 'Measured at the antenna connector, averaged over a burst. '.repeat(20);
  return `${[...lines, `note: '${note.slice(0, 1024 - without - 1)}.'`].join('\n')}\n`;
}
