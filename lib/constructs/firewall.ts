import type { Stage } from 'aws-cdk-lib/aws-apigateway';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { CfnLoggingConfiguration, CfnWebACL, CfnWebACLAssociation } from 'aws-cdk-lib/aws-wafv2';
import { Construct } from 'constructs';

import type { StageConfig } from '../config.ts';
import { logGroupArn } from './log-group-arn.ts';

export interface FirewallProps {
  readonly config: StageConfig;
  readonly requestsPer5Min: number;
  readonly stage: Stage;
}

interface ManagedRules {
  readonly name: string;
  /** Rules that count and do not block. */
  readonly counted?: readonly string[];
}

const managedRules: readonly ManagedRules[] = [
  { name: 'AWSManagedRulesAmazonIpReputationList' },
  {
    name: 'AWSManagedRulesCommonRuleSet',
    counted: [
      // Packages and attachments have up to 5 MiB; the functions bound every body themselves.
      'SizeRestrictions_BODY',
      // A ZIP is arbitrary bytes and a rule may well hold markup, paths or addresses: they are
      // data, which nothing here executes, renders or follows.
      'CrossSiteScripting_BODY',
      'GenericLFI_BODY',
      'GenericRFI_BODY',
      'EC2MetaDataSSRF_BODY',
      // An attachment may be called `inspection.log`.
      'RestrictedExtensions_QUERYARGUMENTS',
      // Pollers in any language: many send no User-Agent.
      'NoUserAgent_HEADER',
    ],
  },
  { name: 'AWSManagedRulesKnownBadInputsRuleSet' },
];

/** AWS WAF before the API: known attacks are turned away, and one address cannot flood it. */
export class Firewall extends Construct {
  constructor(scope: Construct, id: string, { config, requestsPer5Min, stage }: FirewallProps) {
    super(scope, id);
    const acl = new CfnWebACL(this, 'Acl', {
      scope: 'REGIONAL',
      defaultAction: { allow: {} },
      visibilityConfig: visibility(`hms-${config.stage}`),
      rules: [floodRule(requestsPer5Min), ...managedRules.map(managedRule)],
    });
    new CfnWebACLAssociation(this, 'Association', {
      resourceArn: stage.stageArn,
      webAclArn: acl.attrArn,
    });
    const log = new LogGroup(this, 'Log', {
      // AWS demands the beginning of the name.
      logGroupName: `aws-waf-logs-hms-${config.stage}`,
      retention: config.logRetention,
      removalPolicy: config.removalPolicy,
    });
    new CfnLoggingConfiguration(this, 'Logging', {
      resourceArn: acl.attrArn,
      logDestinationConfigs: [logGroupArn(log)],
      redactedFields: [{ singleHeader: { Name: 'authorization' } }],
      // What passes is in the access log already.
      loggingFilter: {
        DefaultBehavior: 'DROP',
        Filters: [
          {
            Behavior: 'KEEP',
            Requirement: 'MEETS_ANY',
            Conditions: ['BLOCK', 'COUNT'].map((Action) => ({ ActionCondition: { Action } })),
          },
        ],
      },
    });
  }
}

function floodRule(limit: number): CfnWebACL.RuleProperty {
  return {
    name: 'Flood',
    priority: 0,
    action: { block: {} },
    statement: {
      rateBasedStatement: { aggregateKeyType: 'IP', evaluationWindowSec: 300, limit },
    },
    visibilityConfig: visibility('Flood'),
  };
}

function managedRule({ name, counted = [] }: ManagedRules, index: number): CfnWebACL.RuleProperty {
  return {
    name,
    priority: index + 1,
    overrideAction: { none: {} },
    statement: {
      managedRuleGroupStatement: {
        vendorName: 'AWS',
        name,
        ruleActionOverrides: counted.map((rule) => ({ name: rule, actionToUse: { count: {} } })),
      },
    },
    visibilityConfig: visibility(name),
  };
}

function visibility(metricName: string): CfnWebACL.VisibilityConfigProperty {
  return { metricName, cloudWatchMetricsEnabled: true, sampledRequestsEnabled: false };
}
