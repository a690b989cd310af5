import type { Bytes } from '../../formats/bytes';
import { readCatboost } from '../../formats/catboost';
import { readLightgbm } from '../../formats/lightgbm';
import { readXgboostJson, readXgboostUbj, type XgboostModel } from '../../formats/xgboost';
import { type Description, facts, few } from './description';

export function describeXgboost(bytes: Bytes, format: 'xgboost-json' | 'xgboost-ubj'): Description {
  const model = format === 'xgboost-json' ? readXgboostJson(bytes) : readXgboostUbj(bytes);
  return {
    framework: 'xgboost',
    format,
    role: 'model',
    parameters: model.parameters,
    dtypes: { float32: model.parameters },
    signature: { inputs: [{ name: 'features', type: 'float32', shape: [-1, model.features] }], outputs: [xgboostOutput(model)] },
    packages: model.version === undefined ? {} : { xgboost: model.version },
    runsCode: false,
    facts: facts({
      booster: model.booster,
      objective: model.objective,
      trees: model.booster === 'gblinear' ? undefined : model.trees,
      features: model.features,
      'feature names': few(model.featureNames),
      classes: model.classes > 1 ? model.classes : undefined,
    }),
    findings: [],
  };
}

function xgboostOutput({ objective, classes }: XgboostModel) {
  return objective === 'multi:softprob'
    ? { name: 'probabilities', type: 'float32', shape: [-1, classes] }
    : { name: 'prediction', type: 'float32', shape: [-1] };
}

/** The old binary form: nothing in it is read. */
export function describeXgboostBinary(path: string): Description {
  return {
    framework: 'xgboost',
    format: 'xgboost-binary',
    role: 'model',
    runsCode: false,
    facts: [],
    findings: [
      {
        severity: 'warning',
        code: 'xgboost-binary',
        path,
        message: 'it is in the binary form that XGBoost deprecated in 1.6 and no longer reads since 3.1',
        remedy: "load it with the XGBoost that wrote it and save it again: booster.save_model('xgboost-model.ubj')",
      },
    ],
  };
}

export function describeLightgbm(bytes: Bytes): Description {
  const model = readLightgbm(bytes);
  return {
    framework: 'lightgbm',
    format: 'lightgbm-text',
    role: 'model',
    signature: {
      inputs: [{ name: 'features', type: 'float64', shape: [-1, model.featureNames.length] }],
      outputs: [{ name: 'prediction', type: 'float64', shape: model.classes > 1 ? [-1, model.classes] : [-1] }],
    },
    runsCode: false,
    facts: facts({
      'format version': model.version,
      objective: model.objective,
      trees: model.trees,
      features: model.featureNames.length,
      'feature names': few(model.featureNames),
      classes: model.classes > 1 ? model.classes : undefined,
    }),
    findings: [],
  };
}

export function describeCatboost(bytes: Bytes): Description {
  const model = readCatboost(bytes);
  return {
    framework: 'catboost',
    format: 'catboost-binary',
    role: 'model',
    parameters: model.parameters,
    dtypes: { float64: model.parameters },
    signature: {
      inputs: [{ name: 'features', type: 'float32', shape: [-1, model.featureNames.length] }],
      outputs: [{ name: 'prediction', type: 'float64', shape: model.dimension > 1 ? [-1, model.dimension] : [-1] }],
    },
    packages: model.version === undefined ? {} : { catboost: model.version },
    runsCode: false,
    facts: facts({
      'format version': model.formatVersion,
      loss: model.loss,
      trees: model.trees,
      features: model.featureNames.length,
      'feature names': few(model.featureNames),
    }),
    findings: [],
  };
}
