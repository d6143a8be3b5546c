// node tools/keras-tfjs.js <folder>: models of ours run in TensorFlow.js, whose layers are another implementation of
// Keras, and its JSON comes back. See tools/keras-tfjs.R, which writes the folder and compares.
const fs = require('fs');
const tf = require('@tensorflow/tfjs');
const folder = process.argv[2];
const quiet = console.warn;
console.warn = () => {};
(async () => {
  await tf.setBackend('cpu');
  const cases = JSON.parse(fs.readFileSync(folder + '/cases.json'));
  for (const one of cases) {
    try {
      const model = await tf.models.modelFromJSON({modelTopology: JSON.parse(one.json)});
      const weights = one.weights.map(w => tf.tensor(w.values, w.shape));
      model.setWeights(weights);
      const inputs = one.inputs.map(w => tf.tensor(w.values, w.shape));
      let y = model.predict(inputs.length == 1 ? inputs[0] : inputs);
      if (!Array.isArray(y)) y = [y];
      one.result = y.map(t => ({shape: t.shape, values: Array.from(t.dataSync())}));
      one.again = model.toJSON();
      if (typeof one.again != 'string') one.again = JSON.stringify(one.again);
    } catch (e) { one.error = String(e.message || e); }
    delete one.weights; delete one.inputs; delete one.json;
  }
  fs.writeFileSync(folder + '/results.json', JSON.stringify(cases));
})();
