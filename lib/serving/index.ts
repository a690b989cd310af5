/** A model answers requests: the engines that run it, and the /ping and /invocations of a SageMaker container. */
export {
  type ContainerServer,
  type ContainerServerProps,
  containerServer,
  type ListenProps,
  type MultiModelServerProps,
  multiModelServer,
} from './container-server';
export { type Answer, type Engine, type Invocation, type StreamedAnswer, streamed } from './engine';
export { type ShortWay, shortWay, type WholeRequest, type WholeResponse } from './http/short-way';
export { type EngineOptions, openEngine } from './open-engine';
