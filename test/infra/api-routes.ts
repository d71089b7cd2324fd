import type { Template } from 'aws-cdk-lib/assertions';

export interface MethodProperties {
  readonly HttpMethod: string;
  readonly ResourceId: Reference;
  readonly AuthorizationType: string;
  readonly AuthorizationScopes?: readonly string[];
  readonly AuthorizerId?: unknown;
  readonly Integration: Readonly<Record<string, unknown>>;
}

interface Reference {
  readonly Ref?: string;
}

interface ResourceProperties {
  readonly PathPart: string;
  readonly ParentId: Reference;
}

/** The methods of the REST API by `GET /path`, as the template has them. */
export function apiRoutes(template: Template): Map<string, MethodProperties> {
  const resources = template.findResources('AWS::ApiGateway::Resource');
  const pathOf = ({ Ref }: Reference): string => {
    const resource = Ref === undefined ? undefined : resources[Ref];
    if (resource === undefined) return '';
    const { PathPart, ParentId } = resource['Properties'] as ResourceProperties;
    return `${pathOf(ParentId)}/${PathPart}`;
  };
  return new Map(
    Object.values(template.findResources('AWS::ApiGateway::Method')).map((method) => {
      const properties = method['Properties'] as MethodProperties;
      return [`${properties.HttpMethod} ${pathOf(properties.ResourceId)}`, properties];
    }),
  );
}
