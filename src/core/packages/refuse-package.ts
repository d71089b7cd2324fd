import { type ErrorDetail, Unprocessable } from '../errors/app-error.ts';
import { packageLimits } from './package-limits.ts';

/** The refusal of a package, for one thing or for several; `pointer` names the entry. */
export function refusePackage(...findings: readonly ErrorDetail[]): Unprocessable {
  const [first] = findings;
  const where = first === undefined || first.pointer === '' ? '' : `${first.pointer}: `;
  const rest = findings.length > 1 ? ` (and ${findings.length - 1} more)` : '';
  return new Unprocessable(
    'invalid_package',
    `The package is refused. ${where}${first?.detail ?? ''}${rest}`,
    findings.slice(0, packageLimits.maxFindings),
  );
}
