import { startLocal } from '../src/compose/local.ts';
import { localBanner } from '../src/compose/local-banner.ts';
import { localConfig } from '../src/compose/local-config.ts';

// Logs go to standard output, one JSON object a line; what people read goes to standard error.
try {
  const config = localConfig(process.env);
  const server = await startLocal(config, (line) => process.stdout.write(line));
  process.stderr.write(localBanner(server.url, config.dataDir));
  let stopping = false;
  const stop = () => {
    if (stopping) process.exit(1);
    stopping = true;
    void server.close();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
