import { writeSync } from 'node:fs';
import { SavedCopy } from '../../sdk/src/node/saved-copy.ts';
import { numberedRules, ownerOfCopies } from './numbered-rules.ts';

/** A process that saves its rules over and over, and prints the number of each copy that is on the disk. */
const [file = ''] = process.argv.slice(2);
const copy = new SavedCopy(file, ownerOfCopies, (error) => {
  throw error;
});
for (let number = 1; ; number++) {
  const rules = await numberedRules(number);
  copy.save(() => rules);
  await copy.settled();
  writeSync(1, `${number}\n`);
}
