import { Alarm, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';

export interface PagingAlarmProps {
  readonly stage: string;
  readonly topic: ITopic;
  /** Also the heading of its entry in docs/runbook.md. */
  readonly name: string;
  /** Which of several that share the entry: the end of its own name. */
  readonly about?: string;
  readonly what: string;
  readonly metric: IMetric;
  /** It rings at this value. */
  readonly threshold: number;
  /** How many periods in a row; 1 unless named. */
  readonly periods?: number;
}

/** An alarm that tells people, when it begins and when it is over, and where to read what to do. */
export class PagingAlarm extends Alarm {
  constructor(scope: Construct, props: PagingAlarmProps) {
    const { stage, topic, name, about, what, metric, threshold, periods = 1 } = props;
    const id = about === undefined ? name : `${name}-${about}`;
    super(scope, id, {
      alarmName: `hms-${stage}-${id}`,
      alarmDescription: `${what}. What to do: docs/runbook.md#${name}`,
      metric,
      threshold,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: periods,
      datapointsToAlarm: periods,
      // No traffic is no failure.
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    this.addAlarmAction(new SnsAction(topic));
    this.addOkAction(new SnsAction(topic));
  }
}
