import { main } from './run-cli.ts';

// What `hms-svc` runs: the process as `main` needs it, and its exit code.
const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => interrupted.abort(new Error(`stopped by ${name}`)));
}
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // Who reads us has enough, as with `| head`.
    process.exit(error.code === 'EPIPE' ? 0 : 1);
  });
}
process.exitCode = await main(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  signal: interrupted.signal,
  nowMs: () => Date.now(),
});
