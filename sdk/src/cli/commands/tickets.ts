import type { Command } from 'commander';
import type { Cli, Does } from '../cli.ts';
import { withExamples } from '../examples.ts';
import { limitOption, reasonOption } from '../options.ts';
import { readPages } from '../pages.ts';
import { path } from '../paths.ts';
import { writeTable } from '../table.ts';
import { decide, type Decision, type Ticket } from '../tickets.ts';

export function addTickets(program: Command, does: Does): void {
  const tickets = program
    .command('tickets')
    .summary('what people are asked, and their answers')
    .description('What people are asked: approvals of runs, and reviews of canaries.');
  const listing = tickets
    .command('list')
    .summary('list tickets')
    .description('Lists what waits for people; with --all, also what is decided.')
    .option('--all', 'those that are over, too')
    .addOption(limitOption())
    .action(does(list));
  withExamples(listing, 'hms-svc tickets list', 'hms-svc tickets list --all --json');
  const showing = tickets
    .command('show')
    .summary('show a ticket')
    .description('Shows a ticket, and what was said to it.')
    .argument('<ticket>', 'its id, such as run-184-approval')
    .action(does(show));
  withExamples(showing, 'hms-svc tickets show run-184-approval');
  addDecision(tickets, does, 'approve', 'say yes: the run goes on');
  addDecision(tickets, does, 'reject', 'say no: the run ends');
  addDecision(tickets, does, 'close', 'note that somebody looked at what is over');
}

function addDecision(tickets: Command, does: Does, decision: Decision, summary: string): void {
  const command = tickets
    .command(decision)
    .summary(summary)
    .description(`Decides on a ticket: ${summary}.`)
    .argument('<ticket>', 'its id, such as run-184-approval')
    .addOption(reasonOption())
    .action(
      does(async (cli, ticket: string, { reason }: { readonly reason?: string }) =>
        decide(cli, ticket, decision, reason),
      ),
    );
  const kind = decision === 'close' ? 'review' : 'approval';
  withExamples(command, `hms-svc tickets ${decision} run-184-${kind} --reason "seen with Ravi"`);
}

async function list(cli: Cli, options: { readonly all?: true; readonly limit: number }) {
  const api = await cli.connect('approver');
  const page = await readPages<Ticket>(api, '/api/tickets', {}, options.limit, cli.io.signal);
  const items = page.items.filter(({ status }) => options.all === true || status === 'open');
  const { out } = cli;
  out.result({ items, next: page.next }, () => {
    const rows = items.map(({ id, status, question, expiresAt }) => [
      id,
      status,
      expiresAt,
      question,
    ]);
    writeTable(out, ['TICKET', 'STATUS', 'UNTIL', 'QUESTION'], rows, 'Nothing waits for people.');
  });
}

async function show(cli: Cli, id: string) {
  const api = await cli.connect('approver');
  const ticket = await api.json<Ticket>({ path: path`/api/tickets/${id}`, signal: cli.io.signal });
  const { out } = cli;
  out.result(ticket, () => {
    const { status, question, run, needs, authors, decisions, expiresAt, choices } = ticket;
    out.line(`${out.paint('bold', id)}  ${status}, of run #${run}`);
    out.line(question);
    for (const { by, decision, reason, at } of decisions) {
      out.line(`• ${at} ${by}: ${decision}${reason === null ? '' : `, ${reason}`}`);
    }
    if (status !== 'open') return;
    out.line(
      `Needs ${needs}, by ${expiresAt}; not ${authors.join(', ')}, whose rule or run it is.`,
    );
    for (const choice of choices) out.line(`Next: hms-svc tickets ${choice} ${id}`);
  });
}
