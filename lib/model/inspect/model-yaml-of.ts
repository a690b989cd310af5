import { ModelError } from '../model-error';
import type { ModelTree } from './model-tree';
import { HIDDEN_MODEL_YAML, MODEL_YAML, readModelYaml } from './model-yaml';

/** model.yaml, or .model.yaml. @throws ModelError `model-yaml-invalid`, also where there are both */
export function modelYamlOf(tree: ModelTree): ReturnType<typeof readModelYaml> | undefined {
  const found = tree.files.filter(({ path }) => path === MODEL_YAML || path === HIDDEN_MODEL_YAML);
  if (found.length > 1) {
    throw new ModelError(
      'model-yaml-invalid',
      tree.given,
      `${tree.given} holds ${MODEL_YAML} and ${HIDDEN_MODEL_YAML}: keep one of the two`,
    );
  }
  return found[0]?.open((bytes) => readModelYaml(bytes.read(0, bytes.size).toString('utf8'), `${tree.given}/${found[0]!.path}`));
}
