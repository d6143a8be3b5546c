// node tools/onnx-run.js <folder>: runs the models of tools/onnx.R in ONNX Runtime (npm: onnxruntime-web).
const fs = require('fs');
const ort = require('onnxruntime-web');
ort.env.wasm.numThreads = 1;
ort.env.logLevel = 'error';
const folder = process.argv[2];
(async () => {
  const cases = JSON.parse(fs.readFileSync(folder + '/cases.json'));
  for (const one of cases) {
    try {
      const session = await ort.InferenceSession.create(new Uint8Array(fs.readFileSync(folder + '/' + one.file)));
      const feeds = {};
      one.inputs.forEach(x => { feeds[x.name] = new ort.Tensor(x.dtype,
        x.dtype == 'int32' ? Int32Array.from(x.values) : Float32Array.from(x.values), x.shape); });
      const y = await session.run(feeds);
      one.result = session.outputNames.map(n => ({name: n, shape: y[n].dims, values: Array.from(y[n].data, Number)}));
    } catch (e) { one.error = String(e.message || e); }
    delete one.inputs;
  }
  fs.writeFileSync(folder + '/results.json', JSON.stringify(cases));
})();
