import { ServiceError } from '../server';

/** SageMaker's answer to most of what is wrong with a request, things that do not exist included. */
export function validation(message: string): ServiceError {
  return new ServiceError('ValidationException', message);
}

/** @param kind as SageMaker words it: `endpoint`, `endpoint configuration`, `model` */
export function notFound(kind: string, arn: string): ServiceError {
  return validation(`Could not find ${kind} "${arn}".`);
}

export function alreadyExists(kind: string, arn: string): ServiceError {
  return validation(`Cannot create already existing ${kind} "${arn}".`);
}

export function inProgress(arn: string): ServiceError {
  return validation(`Cannot update in-progress endpoint "${arn}".`);
}

export function conflict(message: string): ServiceError {
  return new ServiceError('ConflictException', message);
}
