const KiB = 1024;
const MiB = 1024 * KiB;

/**
 * What a package, a rule and its parts may cost. Measured with 150 kinds of hostile text on one
 * busy core: a YAML document within these limits takes at most 0.8 s and 100 MB, mostly 0.3 s;
 * `yaml` by itself takes up to 9 s and 1.4 GB for 1 MiB of brackets. JSON takes 60 ms for 1 MiB.
 */
export const packageLimits = {
  /** The ZIP as sent. */
  maxPackedBytes: 5 * MiB,
  /** All entries together, as really inflated. */
  maxUnpackedBytes: 20 * MiB,
  maxEntries: 64,
  /** One YAML document, in UTF-8. */
  maxYamlBytes: 256 * KiB,
  /** `policy.yaml` and all scenarios of a package together. */
  maxYamlTotalBytes: MiB,
  /** One JSON document of a package. So no package gets beyond 4 MiB unpacked. */
  maxJsonBytes: MiB,
  maxJsonDepth: 64,
  /** Mappings and lists around a value, those of its aliases included. */
  maxYamlDepth: 32,
  /** Keys, values, lists and mappings, aliases counted as what they stand for. */
  maxYamlNodes: 20_000,
  /** The rule as minimised JSON: only aliases of long strings get there. */
  maxBodyChars: MiB,
  maxTags: 64,
  maxTagChars: 200,
  maxFindings: 20,
} as const;
