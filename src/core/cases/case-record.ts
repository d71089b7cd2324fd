import type { GeoPlace } from '../geo/geo-place.ts';

/** What cases are about. */
export const caseKinds = ['pothole'] as const;

export type CaseKind = (typeof caseKinds)[number];

interface KindRules {
  /** No two open cases of the kind are so near to each other: the second report is of the first. */
  readonly duplicateM: number;
  /** Who is told of a new one. */
  readonly crew: string;
}

export const kindRules: Readonly<Record<CaseKind, KindRules>> = {
  pothole: { duplicateM: 30, crew: 'road-repair' },
};

/** The most urgent first. */
export const urgencies = ['critical', 'high', 'normal'] as const;

export type Urgency = (typeof urgencies)[number];

export const caseLimits = {
  /** Of a search around a place. */
  maxRadiusM: 1000,
  /** No street is nearer to a pole; there, cells are too narrow to look at them one by one. */
  maxLatitude: 85,
} as const;

/** `CASE-` and the number of the job that opened it. */
export const caseIdPattern = /^CASE-[1-9]\d{0,11}$/;

export interface CaseRecord {
  readonly id: string;
  readonly kind: CaseKind;
  readonly location: GeoPlace;
  readonly urgency: Urgency;
  /** Why it is that urgent: a sentence each. */
  readonly reasons: readonly string[];
  /** The reference data that the urgency rests on. */
  readonly references: readonly { readonly name: string; readonly digest: string }[];
  /** One line, as it was reported. */
  readonly description: string;
  readonly reportedBy: string;
  readonly openedAt: string;
  /** The job that opened it. */
  readonly job: string;
  /** Who the event `crew.notified`, published as the case was opened, was for. */
  readonly crewNotice: { readonly crew: string; readonly at: string };
  /** Null while it is open. */
  readonly closed: CaseClosing | null;
}

export interface CaseClosing {
  readonly at: string;
  readonly by: string;
  readonly note: string | null;
  /** The job that closed it. */
  readonly job: string;
}
