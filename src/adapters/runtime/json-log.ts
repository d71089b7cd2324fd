import type { Clock } from '../../ports/clock.ts';
import type { Log, LogFields } from '../../ports/log.ts';
import { plainFields, plainText, type PlainFields } from './plain-fields.ts';

const levels = { debug: 10, info: 20, warn: 30, error: 40 } as const;
export type LogLevel = keyof typeof levels;

interface JsonLogOptions {
  /** Takes one line with its line break. What it throws is dropped. */
  readonly write: (line: string) => void;
  readonly clock: Pick<Clock, 'nowMs'>;
  /** The least level that is written; `info` unless told. */
  readonly level?: LogLevel;
}

/** What JSON leaves as it is, and a terminal or a line reader may act on. */
const unescaped = /[\p{Cc}\p{Zl}\p{Zp}]/gu;

/**
 * A Log of NDJSON. Bounded: strings over 8 KB are cut, deep and long values too.
 * Fields of `with` are taken as they are at that moment. A field named `level`, `time` or `msg`
 * is written as `field_level` and so on.
 */
export function jsonLog(options: JsonLogOptions): Log {
  return logWith(options, {});
}

function logWith(options: JsonLogOptions, base: PlainFields): Log {
  const least = levels[options.level ?? 'info'];
  const at =
    (level: LogLevel): Log['info'] =>
    (msg, fields) => {
      if (levels[level] < least) return;
      try {
        const time = new Date(options.clock.nowMs()).toISOString();
        const line = { level, time, msg: plainText(msg), ...base, ...plainFields(fields) };
        options.write(`${escaped(JSON.stringify(line))}\n`);
      } catch {
        // A log that fails must not take the request with it.
      }
    };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    with: (fields: LogFields) => logWith(options, { ...base, ...plainFields(fields) }),
  };
}

function escaped(json: string): string {
  return json.replace(unescaped, (char) => {
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
