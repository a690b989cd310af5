import type { Finding } from './finding';
import type { Needs } from './inspection';
import type { ModelTree } from './model-tree';
import { HIDDEN_MODEL_YAML, MODEL_YAML } from './model-yaml';
import { defines, HANDLER, has, textOf } from './needs';
import { shardMissing } from './single-file';
import { json, type Subject } from './subject';

/** What the family's container would stumble over, from what each container loads. */
export function containerChecks(tree: ModelTree, subject: Subject, needs: Needs): Finding[] {
  const checks: Record<Needs['image'], () => Finding[]> = {
    onnx: () => [],
    sklearn: () => sklearn(tree, subject),
    xgboost: () => xgboost(tree),
    pytorch: () => pytorch(tree, subject),
    tensorflow: () => tensorflow(tree, subject),
    huggingface: () => huggingface(tree),
    triton: () => triton(tree),
    'djl-lmi': () => [...shards(tree), ...remoteCode(tree)],
    custom: () => custom(subject),
  };
  return [...checks[needs.image](), ...toolkit(tree)];
}

/** What every toolkit image does with `code/`. */
function toolkit(tree: ModelTree): Finding[] {
  const found: Finding[] = [];
  if (tree.files.some(({ path }) => path.startsWith('code/code/'))) {
    found.push(
      error('nested-code', 'code/code', 'the handler is one directory too deep', `move it up: the containers look for ${HANDLER}`),
    );
  }
  if (has(tree, 'inference.py') && !has(tree, HANDLER)) {
    found.push(error('handler-at-root', 'inference.py', `the containers look for ${HANDLER}`, 'move inference.py into code/'));
  }
  if (has(tree, 'requirements.txt') && !has(tree, 'code/requirements.txt') && has(tree, HANDLER)) {
    found.push(
      warning('requirements-at-root', 'requirements.txt', 'the containers install code/requirements.txt only', 'move it into code/'),
    );
  }
  const source = textOf(tree, HANDLER);
  const parts = ['input_fn', 'predict_fn', 'output_fn'].filter((name) => defines(source, name));
  if (defines(source, 'transform_fn') && parts.length > 0) {
    found.push(
      error(
        'handlers-mixed',
        HANDLER,
        `it defines transform_fn and ${parts.join(', ')}, which exclude one another`,
        'keep transform_fn alone, or the others',
      ),
    );
  }
  if (has(tree, 'code/requirements.txt')) {
    found.push(
      note(
        'requirements-at-start',
        'code/requirements.txt',
        'its packages are installed whenever an instance starts',
        'in a VPC without a way out, build an image that holds them',
      ),
    );
  }
  return found;
}

function sklearn(tree: ModelTree, subject: Subject): Finding[] {
  const source = textOf(tree, HANDLER);
  if (source === '') {
    return [
      error(
        'handler-missing',
        HANDLER,
        'the scikit-learn container has no way of its own to load a model',
        `write ${HANDLER} with model_fn(model_dir), which returns the loaded ${subject.file}`,
      ),
    ];
  }
  const found: Finding[] = [];
  if (!defines(source, 'model_fn')) {
    found.push(
      error(
        'model-fn-missing',
        HANDLER,
        'it defines no model_fn, and the scikit-learn container has none of its own',
        `define model_fn(model_dir), which returns the loaded ${subject.file}`,
      ),
    );
  }
  const wanted = { lightgbm: 'lightgbm', catboost: 'catboost' }[subject.framework as string];
  if (wanted !== undefined && !textOf(tree, 'code/requirements.txt').includes(wanted)) {
    found.push(
      warning(
        'package-missing',
        'code/requirements.txt',
        `the scikit-learn image does not hold ${wanted}`,
        `name ${wanted} and its version in code/requirements.txt, or serve it from an image of your own`,
      ),
    );
  }
  return found;
}

function xgboost(tree: ModelTree): Finding[] {
  if (has(tree, HANDLER)) {
    if (defines(textOf(tree, HANDLER), 'model_fn')) return [];
    return [
      error(
        'model-fn-missing',
        HANDLER,
        'it defines no model_fn, and with a handler the XGBoost container has none of its own',
        'define model_fn(model_dir), which returns the loaded Booster',
      ),
    ];
  }
  const root = tree.files.filter(({ path }) => !path.includes('/') && !path.startsWith('.')).map(({ path }) => path);
  if (root.length === 1) return [];
  if (root.length === 0) {
    return [
      error(
        'xgboost-root-files',
        undefined,
        'there is no file at the root, where the XGBoost container looks for the model',
        'move the model to the root',
      ),
    ];
  }
  const others = `keep the model alone at the root, or write ${HANDLER} with model_fn(model_dir)`;
  return [
    error(
      'xgboost-root-files',
      undefined,
      `the XGBoost container loads the first file at the root, and there are ${root.length}: ${root.join(', ')}`,
      root.includes(MODEL_YAML) ? `rename ${MODEL_YAML} to ${HIDDEN_MODEL_YAML}, which the container passes over; ${others}` : others,
    ),
  ];
}

function pytorch(tree: ModelTree, subject: Subject): Finding[] {
  const source = textOf(tree, HANDLER);
  if (defines(source, 'model_fn')) return [];
  if (subject.format !== 'torchscript') {
    return [
      error(
        source === '' ? 'handler-missing' : 'model-fn-missing',
        HANDLER,
        `${subject.file} is no TorchScript program, and that is all that the PyTorch container loads by itself`,
        `write ${HANDLER} with model_fn(model_dir), or save it by torch.jit.save(torch.jit.script(model), 'model.pt')`,
      ),
    ];
  }
  const root = tree.files.filter(({ path }) => /^[^/]+\.(pt|pth)$/.test(path)).map(({ path }) => path);
  if (root.includes('model.pt') || root.length === 1) return [];
  return [
    error(
      'torchscript-name',
      subject.file,
      `without a model_fn the PyTorch container loads model.pt, or the only .pt or .pth at the root; there ${root.length === 0 ? 'is none' : `are ${root.join(', ')}`}`,
      'rename the model to model.pt, at the root',
    ),
  ];
}

function tensorflow(tree: ModelTree, subject: Subject): Finding[] {
  if (subject.format !== 'savedmodel') {
    return [
      error(
        'keras-not-exported',
        subject.file,
        `TensorFlow Serving loads SavedModels, not ${subject.file}`,
        "export it: model.export('1'), and give the directory that holds 1/; or serve it from an image of your own",
      ),
    ];
  }
  const found: Finding[] = [];
  if (!/(^|\/)\d+$/.test(subject.file)) {
    found.push(
      error(
        'savedmodel-version',
        subject.file === '.' ? 'saved_model.pb' : subject.file,
        'TensorFlow Serving wants a directory named by a version number around saved_model.pb',
        'move it and variables/ into 1/',
      ),
    );
  }
  if (tree.files.some(({ path }) => path.startsWith('code/lib/')) && has(tree, 'code/requirements.txt')) {
    found.push(
      warning(
        'requirements-ignored',
        'code/requirements.txt',
        'the TensorFlow container ignores it where code/lib exists',
        'keep one of the two',
      ),
    );
  }
  return found;
}

function huggingface(tree: ModelTree): Finding[] {
  const found = [...shards(tree), ...remoteCode(tree)];
  const weights = tree.files.some(({ path }) => /\.(safetensors|bin|h5|msgpack|onnx|gguf|pt)$/.test(path));
  if (!weights)
    found.push(
      error(
        'weights-missing',
        undefined,
        'there is a configuration and no weights',
        'copy the weights too (model.safetensors, or its shards and their index)',
      ),
    );
  if (weights && !tree.files.some(({ path }) => path.endsWith('.safetensors')) && tree.files.some(({ path }) => path.endsWith('.bin'))) {
    found.push(
      warning(
        'weights-pickled',
        undefined,
        'its weights are pickles, which can run code when they are loaded',
        'save it again: model.save_pretrained(directory, safe_serialization=True)',
      ),
    );
  }
  const config = json(tree, 'config.json');
  const text = [
    'tokenizer.json',
    'tokenizer_config.json',
    'vocab.txt',
    'vocab.json',
    'tokenizer.model',
    'spiece.model',
    'preprocessor_config.json',
    'sentencepiece.bpe.model',
  ];
  if (config !== undefined && !text.some((name) => has(tree, name))) {
    found.push(
      warning(
        'tokenizer-missing',
        undefined,
        'there is no tokenizer and no preprocessor beside the model',
        `save it there (tokenizer.save_pretrained), or write ${HANDLER}`,
      ),
    );
  }
  return found;
}

function remoteCode(tree: ModelTree): Finding[] {
  const map = json(tree, 'config.json')?.auto_map;
  if (map === undefined) return [];
  return [
    warning(
      'remote-code',
      'config.json',
      `it names Python code of its own (auto_map: ${JSON.stringify(map).slice(0, 200)}), which trust_remote_code runs`,
      'read that code first; without trust_remote_code it is not loaded',
    ),
  ];
}

/** The shards that an index names and that are not there. */
function shards(tree: ModelTree): Finding[] {
  return tree.files
    .filter(({ path }) => path.endsWith('.index.json'))
    .flatMap(({ path }) => {
      const map = json(tree, path)?.weight_map;
      if (typeof map !== 'object' || map === null) return [];
      const folder = path.includes('/') ? `${path.slice(0, path.lastIndexOf('/'))}/` : '';
      return [...new Set(Object.values(map).map(String))]
        .filter((name) => !has(tree, folder + name))
        .map((name) => shardMissing(folder + name));
    });
}

function triton(tree: ModelTree): Finding[] {
  const found: Finding[] = [];
  if (has(tree, 'config.pbtxt')) {
    found.push(
      error(
        'triton-config-at-root',
        'config.pbtxt',
        'Triton wants it in a directory that has the name of the model',
        'move it and the version directories into <model>/',
      ),
    );
  }
  const models = tree.files.filter(({ path }) => /^[^/]+\/config\.pbtxt$/.test(path)).map(({ path }) => path.split('/')[0]!);
  for (const model of models) {
    const name = /^\s*name\s*:\s*"([^"]*)"/m.exec(textOf(tree, `${model}/config.pbtxt`))?.[1];
    if (name !== undefined && name !== '' && name !== model) {
      found.push(
        error(
          'triton-name',
          `${model}/config.pbtxt`,
          `it names the model ${name}, and its directory is ${model}`,
          'give both the same name',
        ),
      );
    }
    if (!tree.files.some(({ path }) => path.startsWith(`${model}/`) && /^\d+$/.test(path.split('/')[1] ?? ''))) {
      found.push(error('triton-version', model, 'it has no version directory', `put the model into ${model}/1/`));
    }
  }
  if (models.length > 1) {
    found.push(
      warning(
        'triton-default',
        undefined,
        `there are ${models.length} models: ${models.join(', ')}`,
        'set SAGEMAKER_TRITON_DEFAULT_MODEL_NAME to the one that answers, unless an ensemble does',
      ),
    );
  }
  return found;
}

function custom(subject: Subject): Finding[] {
  return [
    warning(
      'no-image',
      subject.file,
      `SageMaker has no image that loads ${subject.format}`,
      'serve it from an image of your own (ServingImage.fromAsset or fromEcrRepository)',
    ),
  ];
}

function error(code: string, path: string | undefined, message: string, remedy: string): Finding {
  return { severity: 'error', code, path, message, remedy };
}

function warning(code: string, path: string | undefined, message: string, remedy: string): Finding {
  return { severity: 'warning', code, path, message, remedy };
}

function note(code: string, path: string | undefined, message: string, remedy: string): Finding {
  return { severity: 'note', code, path, message, remedy };
}
