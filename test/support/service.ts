/** The clients of every way to run the service. */
export type ClientName =
  | 'demo-editor'
  | 'demo-service'
  | 'demo-auditor'
  | 'demo-admin'
  | 'demo-approver'
  | 'other-service';

/** A running service, embedded or deployed. */
export interface Service {
  readonly baseUrl: string;
  /** A token of a client; with `scopes` (`read:policy`), one that carries no more than those. */
  readonly token: (client: ClientName, scopes?: readonly string[]) => Promise<string>;
  readonly close: () => Promise<void>;
  /** Signs claims as the issuer would, laid over those of a good token; where its key is at hand. */
  readonly forge?: (claims: Readonly<Record<string, unknown>>) => Promise<string>;
  /** How long a read of a rule may lag behind the answer to a write. */
  readonly lagMs: number;
  /**
   * `live`: a stream hands over each message at once. `collected`: an emulated gateway answers it
   * in one piece at its end.
   */
  readonly streams: 'live' | 'collected';
  /** Whether API Gateway stands before our code and answers for it what has no route or token. */
  readonly behindGateway: boolean;
  /** The mails that it has sent to an address, as their subjects; where they can be seen. */
  readonly mailsTo?: (address: string) => Promise<readonly string[]>;
  /** How many logs the steps of a tenant's jobs are spread over: `jobs-0` and so on. */
  readonly jobLogs: number;
  /** What paths of the service's own begin with, where it is not at the root of its host. */
  readonly basePath: string;
}

/** A path as the service itself names it, in `Location`. */
export function below({ basePath }: Service, path: string): string {
  return basePath + path;
}

/** What a good token is answered that lacks the scope: the emulated gateway says that it is no good. */
export function withoutScope({ behindGateway }: Service): 'forbidden' | 'unauthenticated' {
  return behindGateway ? 'unauthenticated' : 'forbidden';
}

export type StartService = () => Promise<Service>;
