import type { Json } from '../values/json.ts';
import { composeYaml } from './compose-yaml.ts';
import { YamlFindings } from './yaml-findings.ts';
import { YamlJsonWriter } from './yaml-json-writer.ts';

/**
 * One YAML 1.2 document (core schema) as JSON. Whatever JSON cannot hold without loss, or what
 * two readers of YAML may take for two things, is refused rather than guessed. At most 256 KiB of
 * text, 32 levels, 20 000 nodes with aliases expanded: see `packageLimits` for what that costs.
 * Integer-like keys come first, as in every JavaScript object; `yamlToJsonText` keeps the order.
 * Errors: `Unprocessable` (`invalid_policy`) with up to 20 findings, each with its line and column.
 */
export function yamlToJson(text: string): Json {
  const value: Json = JSON.parse(yamlToJsonText(text));
  return value;
}

/** The same as minimised JSON text, all keys in the order of the document. */
export function yamlToJsonText(text: string): string {
  const findings = new YamlFindings(text);
  const root = composeYaml(text, findings);
  const json = new YamlJsonWriter(findings).write(root);
  findings.throwIfAny();
  return json;
}
