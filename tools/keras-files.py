"""python3 tools/keras-files.py: writes tests/testthat/files/keras-2.h5.gz and keras-3.keras in the layouts of Keras 2.15
and Keras 3, with outputs that PyTorch computes from the same weights (Debian: python3-h5py, python3-torch)."""
import gzip, io, json, zipfile
import h5py, numpy as np, torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
counter = [0]
def weight(*shape, shift=0.0):
    n = int(np.prod(shape))
    counter[0] += 1
    return (np.sin(np.arange(1, n + 1) * (1 + counter[0] / 7)) / 2 + shift).reshape(shape).astype('float32')
def T(x): return torch.tensor(x.astype('float64'))
def initializer(name, config=None):
    return {"module": "keras.initializers", "class_name": name, "config": config or {}, "registered_name": None}
glorot, zeros, ones = initializer("GlorotUniform", {"seed": None}), initializer("Zeros"), initializer("Ones")

# ---- Keras 2.15 ----
none = {k: None for k in ["kernel_regularizer", "bias_regularizer", "activity_regularizer", "kernel_constraint",
    "bias_constraint"]}
def base(name): return {"name": name, "trainable": True, "dtype": "float32"}
def node(*names): return [[[n, 0, 0, {}] for n in names]]
layers = [
    ("InputLayer", {"batch_input_shape": [None, 6, 6, 2], "dtype": "float32", "sparse": False, "ragged": False,
        "name": "picture"}, []),
    ("Conv2D", {**base("conv"), "filters": 3, "kernel_size": [3, 2], "strides": [1, 1], "padding": "same",
        "data_format": "channels_last", "dilation_rate": [1, 1], "groups": 1, "activation": "relu", "use_bias": True,
        "kernel_initializer": glorot, "bias_initializer": zeros, **none}, node("picture")),
    ("BatchNormalization", {**base("norm"), "axis": [3], "momentum": 0.99, "epsilon": 0.001, "center": True,
        "scale": True, "beta_initializer": zeros, "gamma_initializer": ones, "moving_mean_initializer": zeros,
        "moving_variance_initializer": ones, "beta_regularizer": None, "gamma_regularizer": None,
        "beta_constraint": None, "gamma_constraint": None}, node("conv")),
    ("DepthwiseConv2D", {**base("depth"), "kernel_size": [3, 3], "strides": [1, 1], "padding": "valid",
        "data_format": "channels_last", "dilation_rate": [1, 1], "groups": 1, "activation": "linear", "use_bias": False,
        "bias_initializer": zeros, "bias_regularizer": None, "activity_regularizer": None, "bias_constraint": None,
        "depth_multiplier": 2, "depthwise_initializer": glorot, "depthwise_regularizer": None,
        "depthwise_constraint": None}, node("norm")),
    ("Dropout", {**base("drop"), "rate": 0.5, "noise_shape": None, "seed": None}, node("depth")),
    ("GlobalMaxPooling2D", {**base("pool"), "data_format": "channels_last", "keepdims": False}, node("drop")),
    ("Dense", {**base("classes"), "units": 4, "activation": "softmax", "use_bias": True, "kernel_initializer": glorot,
        "bias_initializer": zeros, **none}, node("pool")),
]
config = {"class_name": "Functional", "config": {"name": "small", "trainable": True, "layers": [
    {"class_name": c, "config": k, "name": k["name"], "inbound_nodes": n} for c, k, n in layers],
    "input_layers": [["picture", 0, 0]], "output_layers": [["classes", 0, 0]]}}
training = {"loss": {"class_name": "CategoricalCrossentropy", "config": {"reduction": "auto", "name":
    "categorical_crossentropy", "from_logits": False, "label_smoothing": 0.1, "axis": -1, "fn":
    "categorical_crossentropy"}}, "metrics": [[{"class_name": "MeanMetricWrapper", "config": {"name": "accuracy",
    "dtype": "float32", "fn": "categorical_accuracy"}}]], "weighted_metrics": None, "loss_weights": None,
    "optimizer_config": {"class_name": "Custom>Adam", "config": {"name": "Adam", "weight_decay": None, "clipnorm": None,
    "global_clipnorm": None, "clipvalue": None, "use_ema": False, "ema_momentum": 0.99, "ema_overwrite_frequency": None,
    "jit_compile": False, "is_legacy_optimizer": False, "learning_rate": 0.004, "beta_1": 0.8, "beta_2": 0.99,
    "epsilon": 1e-07, "amsgrad": False}}}
w = {"conv": [("kernel", weight(3, 2, 2, 3)), ("bias", weight(3))],
    "norm": [("gamma", weight(3)), ("beta", weight(3)), ("moving_mean", weight(3)),
        ("moving_variance", weight(3, shift=1.0))],
    "depth": [("depthwise_kernel", weight(3, 3, 3, 2))],
    "classes": [("kernel", weight(6, 4)), ("bias", weight(4))]}
x = weight(2, 6, 6, 2)
t = T(x).permute(0, 3, 1, 2)
a = {k: [T(v) for _, v in ws] for k, ws in w.items()}
t = F.relu(F.conv2d(F.pad(t, (0, 1, 1, 1)), a["conv"][0].permute(3, 2, 0, 1), a["conv"][1]))
t = F.batch_norm(t, a["norm"][2], a["norm"][3], a["norm"][0], a["norm"][1], eps=0.001)
t = F.conv2d(t, a["depth"][0].permute(2, 3, 0, 1).reshape(6, 1, 3, 3), groups=3)
y = F.softmax(t.amax((2, 3)) @ a["classes"][0] + a["classes"][1], 1)
memory = io.BytesIO()
with h5py.File(memory, "w") as f:
    f.attrs["keras_version"], f.attrs["backend"] = b"2.15.0", b"tensorflow"
    f.attrs["model_config"], f.attrs["training_config"] = json.dumps(config).encode(), json.dumps(training).encode()
    g = f.create_group("model_weights")
    g.attrs["layer_names"] = [k["name"].encode() for _, k, _ in layers]
    g.attrs["backend"], g.attrs["keras_version"] = b"tensorflow", b"2.15.0"
    for _, k, _ in layers:
        group = g.create_group(k["name"])
        ws = w.get(k["name"], [])
        group.attrs["weight_names"] = np.asarray([(k["name"] + "/" + n + ":0").encode() for n, _ in ws])
        for n, v in ws: group.create_dataset(k["name"] + "/" + n + ":0", data=v)
    g.create_group("top_level_model_weights").attrs["weight_names"] = np.asarray([])
    o = f.create_group("optimizer_weights").create_group("Adam") and f["optimizer_weights"]
    names, values = ["Adam/iteration:0", "Adam/learning_rate:0"], [np.int64(5), np.float32(0.004)]
    for k, ws in w.items():
        for n, v in ws:
            if n.startswith("moving"): continue
            names += ["Adam/m/%s/%s:0" % (k, n), "Adam/v/%s/%s:0" % (k, n)]
            values += [v / 10, v * v]
    o.attrs["weight_names"] = [n.encode() for n in names]
    for n, v in zip(names, values): o.create_dataset(n, data=v)
    f.create_dataset("check/x", data=x)
    f.create_dataset("check/y", data=y.numpy())
with open("tests/testthat/files/keras-2.h5.gz", "wb") as f: f.write(gzip.compress(memory.getvalue(), mtime=0))

# ---- Keras 3 ----
dtype = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}, "registered_name": None}
def base(name): return {"name": name, "trainable": True, "dtype": dtype}
def layer(class_name, config, shape):
    return {"module": "keras.layers", "class_name": class_name, "config": config, "registered_name": None,
        "build_config": {"input_shape": shape}}
def cell(units, **more):
    return {"units": units, "activation": "tanh", "recurrent_activation": "sigmoid", "use_bias": True,
        "kernel_initializer": glorot, "recurrent_initializer": initializer("OrthogonalInitializer", {"gain": 1.0,
        "seed": None}), "bias_initializer": zeros, "kernel_regularizer": None, "recurrent_regularizer": None,
        "bias_regularizer": None, "activity_regularizer": None, "kernel_constraint": None, "recurrent_constraint": None,
        "bias_constraint": None, "dropout": 0.0, "recurrent_dropout": 0.0, "seed": None, "return_state": False,
        "stateful": False, "unroll": False, "zero_output_for_mask": False, **more}
config = {"module": "keras", "class_name": "Sequential", "config": {"name": "steps", "trainable": True, "dtype": dtype,
    "layers": [{"module": "keras.layers", "class_name": "InputLayer", "config": {"batch_shape": [None, 5, 3], "dtype":
    "float32", "sparse": False, "ragged": False, "name": "input_layer"}, "registered_name": None},
    layer("LSTM", {**base("lstm"), **cell(4, return_sequences=True, go_backwards=False, unit_forget_bias=True)},
        [None, 5, 3]),
    layer("Bidirectional", {**base("ways"), "merge_mode": "concat",
        "layer": layer("GRU", {**base("forward_gru"), **cell(3, return_sequences=False, go_backwards=False,
            reset_after=True)}, [None, 5, 4]),
        "backward_layer": layer("GRU", {**base("backward_gru"), **cell(3, return_sequences=False, go_backwards=True,
            reset_after=True)}, [None, 5, 4])}, [None, 5, 4]),
    layer("Dense", {**base("end"), "units": 2, "activation": "silu", "use_bias": True, "kernel_initializer": glorot,
        "bias_initializer": zeros, "kernel_regularizer": None, "bias_regularizer": None, "kernel_constraint": None,
        "bias_constraint": None, "quantization_config": None}, [None, 6])],
    "build_input_shape": [None, 5, 3]}, "registered_name": None, "build_config": {"input_shape": [None, 5, 3]},
    "compile_config": {"optimizer": {"module": "keras.optimizers", "class_name": "SGD", "config": {"name": "SGD",
    "learning_rate": 0.25, "weight_decay": None, "clipnorm": None, "global_clipnorm": None, "clipvalue": None,
    "use_ema": False, "ema_momentum": 0.99, "ema_overwrite_frequency": None, "loss_scale_factor": None,
    "gradient_accumulation_steps": None, "momentum": 0.5, "nesterov": False}, "registered_name": None},
    "loss": "mse", "loss_weights": None, "metrics": ["mae"], "weighted_metrics": None, "run_eagerly": False,
    "steps_per_execution": 1, "jit_compile": False}}
w = {"layers/lstm/cell": [weight(3, 16), weight(4, 16), weight(16)],
    "layers/bidirectional/forward_layer/cell": [weight(4, 9), weight(3, 9), weight(2, 9)],
    "layers/bidirectional/backward_layer/cell": [weight(4, 9), weight(3, 9), weight(2, 9)],
    "layers/dense": [weight(6, 2), weight(2)]}
x = weight(2, 5, 3)
def gates(v, order, axis=-1): return np.concatenate([np.split(v, len(order), axis)[k] for k in order], axis)
lstm = torch.nn.LSTM(3, 4, batch_first=True)
k, r, b = w["layers/lstm/cell"]
lstm.weight_ih_l0.data, lstm.weight_hh_l0.data = T(k.T), T(r.T)
lstm.bias_ih_l0.data, lstm.bias_hh_l0.data = T(b), T(b * 0)
gru = torch.nn.GRU(4, 3, batch_first=True, bidirectional=True)
for way, end in (("forward", ""), ("backward", "_reverse")):
    k, r, b = w["layers/bidirectional/%s_layer/cell" % way]
    for name, v in (("weight_ih", gates(k, (1, 0, 2)).T), ("weight_hh", gates(r, (1, 0, 2)).T),
        ("bias_ih", gates(b[0], (1, 0, 2))), ("bias_hh", gates(b[1], (1, 0, 2)))):
        getattr(gru, name + "_l0" + end).data = T(v)
h = gru(lstm(T(x))[0])[1].permute(1, 0, 2).reshape(2, 6)
y = F.silu(h @ T(w["layers/dense"][0]) + T(w["layers/dense"][1])).detach().numpy()
memory = io.BytesIO()
with h5py.File(memory, "w") as f:
    for path, ws in w.items():
        group = f.create_group(path + "/vars")
        for k, v in enumerate(ws): group.create_dataset(str(k), data=v)
    state = [np.int64(3), np.float32(0.25)] + [v / 5 for ws in w.values() for v in ws]
    group = f.create_group("optimizer/vars")
    for k, v in enumerate(state): group.create_dataset(str(k), data=v)
with zipfile.ZipFile("tests/testthat/files/keras-3.keras", "w", zipfile.ZIP_DEFLATED) as z:
    for name, text in (("metadata.json", json.dumps({"keras_version": "3.4.1", "date_saved": "2024-07-01@10:00:00"})),
        ("config.json", json.dumps(config)), ("check.json", json.dumps({"x": x.tolist(), "y": y.tolist()}))):
        z.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED)
    z.writestr(zipfile.ZipInfo("model.weights.h5"), memory.getvalue(), zipfile.ZIP_DEFLATED)
