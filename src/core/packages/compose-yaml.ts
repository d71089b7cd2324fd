import { Composer, type CST, type Document, Lexer, type ParsedNode, Parser } from 'yaml';
import { packageLimits } from './package-limits.ts';
import type { YamlFindings } from './yaml-findings.ts';

const { maxYamlBytes, maxYamlDepth, maxYamlNodes } = packageLimits;

/**
 * A node is itself, an indicator and a closing bracket; few have an anchor or a tag. So a document
 * with more parts, spaces and comments apart, has more nodes than it may.
 */
const maxParts = 4 * maxYamlNodes;

/** What YAML forbids in a text, or what its readers disagree on: a lone CR is a line end or not. */
const forbiddenCharacter = /(?![\t\n\r\u0085])\p{Cc}|[\ufffe\uffff]|\r(?!\n)/u;

/** Signs of the lexer that stand for no character of the text. */
const lexerMarks = new Set(['\x02', '\x18', '\x1f']);

/**
 * The one document of a YAML 1.2 text, by its syntax alone: tags, keys and aliases are unchecked.
 * Time and stack are bounded: the lexer is stopped when the nesting or the number of parts
 * exceeds what the limits allow, before the library composes anything.
 */
export function composeYaml(text: string, findings: YamlFindings): ParsedNode {
  requirePlainText(text, findings);
  const composer = new Composer({
    version: '1.2',
    schema: 'core',
    merge: false,
    resolveKnownTags: false,
    // Compares each key with all before it; ours is a set.
    uniqueKeys: false,
    logLevel: 'silent',
  });
  const tokens = oneDocument(parse(text, findings), findings);
  const [document] = withoutTraces(() => [...composer.compose(tokens, true, text.length)]);
  if (document !== undefined) noteProblems(document, findings);
  findings.throwIfAny();
  const contents = document?.contents ?? null;
  if (contents === null || isEmpty(contents)) {
    return findings.refuse(0, 'the document is empty; write the rule as a mapping');
  }
  return contents;
}

/** An error costs the library ten times more with its stack trace, and a text may hold 130 000. */
function withoutTraces<T>(run: () => T): T {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return run();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function requirePlainText(text: string, findings: YamlFindings): void {
  if (text.length > maxYamlBytes) {
    findings.refuse(0, `more than ${maxYamlBytes / 1024} KiB of YAML; split it up`);
  }
  const offset = text.search(forbiddenCharacter);
  if (offset !== -1) {
    const code = text.charCodeAt(offset).toString(16).padStart(4, '0');
    findings.refuse(offset, `the character U+${code} is not allowed here; write it as an escape`);
  }
  if (!text.isWellFormed()) findings.refuse(0, 'the text holds half a surrogate pair');
}

function* parse(text: string, findings: YamlFindings): Generator<CST.Token, void> {
  const parser = new Parser();
  let offset = 0;
  let parts = 0;
  for (const lexeme of new Lexer().lex(text)) {
    if (!isBlank(lexeme)) parts += 1;
    if (parts > maxParts) {
      findings.refuse(offset, `more than ${maxYamlNodes} keys and values; split the document up`);
    }
    yield* parser.next(lexeme);
    // Around the collections is the document, within them may be a scalar.
    if (parser.stack.length > maxYamlDepth + 2) {
      findings.refuse(offset, `nested deeper than ${maxYamlDepth} levels; flatten it`);
    }
    if (!lexerMarks.has(lexeme)) offset += lexeme.length;
  }
  yield* parser.end();
}

function isBlank(lexeme: string): boolean {
  return lexeme.trimStart() === '' || lexeme.startsWith('#') || lexerMarks.has(lexeme);
}

/** Hands on what the composer is to see, and stops at the first thing that it need not see. */
function* oneDocument(
  tokens: Iterable<CST.Token>,
  findings: YamlFindings,
): Generator<CST.Token, void> {
  let documents = 0;
  for (const token of tokens) {
    if (token.type === 'directive' && !/^%YAML[ \t]+1\.2[ \t]*$/.test(token.source)) {
      findings.refuse(token.offset, 'directives (%) are not supported; leave them out');
    }
    if (token.type === 'document') documents += 1;
    if (documents > 1) findings.refuse(token.offset, 'a second document starts here; keep one');
    if (token.type === 'error') findings.add(token.offset, token.message);
    else yield token;
  }
}

function noteProblems(document: Document.Parsed, findings: YamlFindings): void {
  // A tag that is not known is told later, with the pointer to its value.
  const warnings = document.warnings.filter(({ code }) => code !== 'TAG_RESOLVE_FAILED');
  const problems = [...document.errors, ...warnings].sort((a, b) => a.pos[0] - b.pos[0]);
  for (const { pos, message } of problems) findings.add(pos[0], message);
}

function isEmpty(contents: ParsedNode): boolean {
  return (
    'source' in contents && contents.source === '' && 'value' in contents && contents.value === null
  );
}
