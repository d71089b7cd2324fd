/** What a person who has just started the server wants to know. */
export function localBanner(url: string, dataDir: string): string {
  return `
  HMS-SVC is running at ${url}      API: ${url}/docs
  State and secrets are in ${dataDir}; Ctrl-C stops the server, nothing is lost.

  In a second shell:

    TOKEN=$(npm run --silent token editor)
    curl -X POST ${url}/api/policies/fcc-5g-rural-power/publish \\
      -H "Authorization: Bearer $TOKEN" -H "X-Channel: prod" \\
      -H "Content-Type: application/yaml" --data-binary @examples/fcc-5g-rural/policy.yaml
    curl -i ${url}/api/policies/fcc-5g-rural-power -H "Authorization: Bearer $TOKEN"

`;
}
