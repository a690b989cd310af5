import type { Invocation } from '../../serving';
import type { LocalContext } from '../context';
import { type LocalRequest, type LocalResponse, requestId, ServiceError } from '../server';
import { askModel, REQUEST_TIMEOUT } from './ask-model';
import { HeaderReader, type InvocationHeaders } from './headers';
import { readPayload } from './payload';
import type { Route } from './route';
import type { RunningVariant } from './running-variant';
import type { Sessions } from './sessions';
import { chooseVariant, mirror } from './traffic';

const headerReader = new HeaderReader('InvokeEndpoint');

/**
 * InvokeEndpoint: one request, one answer.
 *
 * @param routeOf where the endpoint's requests go now
 */
export async function invokeEndpoint(
  context: LocalContext,
  sessions: Sessions,
  routeOf: () => Route,
  request: LocalRequest,
): Promise<LocalResponse> {
  const arrived = performance.now();
  const given = headerReader.read(request);
  const body = await readPayload(context, request, routeOf());
  // From here to the model nothing waits: a variant that is chosen is not taken away before the request counts as its own.
  const route = routeOf();
  const variant = sessions.variantOf(given.SessionId, route) ?? chooseVariant(context, route, given);
  checkConcurrency(variant);
  const invocation = invocationOf(given, body);
  if (route.mirrors.length > 0) mirror(context, route, invocation);
  const answer = await askModel(context, variant, invocation, arrived, REQUEST_TIMEOUT);
  const headers = answerHeaders(variant, answer.contentType, answer.customAttributes);
  if (given.SessionId === 'NEW_SESSION') headers['x-amzn-sagemaker-new-session-id'] = sessions.start(variant);
  return { status: 200, headers, body: answer.body };
}

function checkConcurrency(variant: RunningVariant): void {
  if (variant.inFlight >= variant.maxConcurrency) throw new ServiceError('ThrottlingException', 'Rate exceeded');
}

/** What the model is given of a request. */
export function invocationOf(given: InvocationHeaders, body: Buffer): Invocation {
  return {
    body,
    contentType: given.ContentType ?? 'application/json',
    accept: given.Accept,
    customAttributes: given.CustomAttributes,
    targetModel: given.TargetModel,
  };
}

function answerHeaders(variant: RunningVariant, contentType: string, customAttributes: string | undefined): Record<string, string> {
  const headers: Record<string, string> = {
    'content-type': contentType,
    'x-amzn-invoked-production-variant': variant.traits.name,
    'x-amzn-requestid': requestId(),
  };
  if (customAttributes !== undefined) headers['x-amzn-sagemaker-custom-attributes'] = customAttributes;
  return headers;
}
