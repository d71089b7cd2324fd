import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/core/errors/app-error.ts';
import { packageForm } from '../../../src/http/package-form.ts';

describe('as what a caller would rather have a snapshot', () => {
  it.each([
    '*/*',
    'application/json',
    'application/*',
    'application/json, */*',
    'text/html, */*;q=0.8',
    'application/json, application/zip',
    'application/zip;q=0.5, application/json',
    'application/zip;q=0.1, */*',
    'application/zip;q=0, */*',
    'APPLICATION/JSON ; charset=utf-8',
    // As Java's HttpURLConnection sends it.
    'text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2',
  ])('JSON: %s', (accept) => {
    expect(packageForm(accept)).toBe('json');
  });

  it.each([
    'application/zip',
    'application/zip, */*',
    'application/zip, text/html',
    'application/json;q=0.5, application/zip',
    'application/json;q=0, */*',
    'application/json;q=0, application/*;q=0.1',
    'Application/ZIP;q=1',
  ])('the package: %s', (accept) => {
    expect(packageForm(accept)).toBe('zip');
  });

  it.each([
    '',
    'image/png',
    'text/*',
    'application/xml',
    '*/*;q=0',
    'application/json;q=0',
    'application/json;q=x',
    'application/json;q=2',
    'json',
    ','.repeat(5000),
  ])('neither: %s', (accept) => {
    expect(() => packageForm(accept)).toThrow(AppError);
  });
});
