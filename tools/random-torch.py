# Values and gradients of random cases by PyTorch, for tools/random.R, which calls it:
#   python3 tools/random-torch.py kind cases numbers found
# Each line of `cases` has parameters; how many inputs have gradients; the shapes of the inputs and of the gradient of
# the result. `numbers` are theirs, `found` becomes the result and the gradients: doubles in row-major order.
import sys

import numpy
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
kind, cases, numbers, found = sys.argv[1:]


def first(x):  # channels first
    return x.movedim(-1, 1).contiguous()


def last(x):
    return x.movedim(1, -1)


def padded(x, pads, value=0.0):  # pads: before and after, axis by axis
    return F.pad(x, sum([list(p) for p in reversed(pads)], []), value=value)


def pairs(v):
    return [v[i:i + 2] for i in range(0, len(v), 2)]


def kernel(w):
    return w.movedim(-1, 0).movedim(-1, 1).contiguous()


def convolved(x, w, par):
    a = par[0]
    strides, dilation, pads, groups = par[1:a + 1], par[a + 1:2 * a + 1], par[2 * a + 1:4 * a + 1], par[4 * a + 1]
    conv = [F.conv1d, F.conv2d, F.conv3d][a - 1]
    return last(conv(padded(first(x), pairs(pads)), kernel(w), stride=strides, dilation=dilation, groups=groups))


def transposed(y, w, par):
    x = torch.zeros([y.shape[0]] + par[-par[0]:] + [w.shape[-2] * par[4 * par[0] + 1]], requires_grad=True)
    return torch.autograd.grad(convolved(x, w, par), x, y, create_graph=True)[0]


def depthwise(x, w, par):
    w = w.movedim(-1, -2)  # filters of a channel are neighbours
    w = w.movedim(-1, 2).reshape(list(w.shape[:2]) + [1, -1])
    return last(F.conv2d(first(x), kernel(w), stride=par[:2], groups=x.shape[-1]))


def pooled(x, par, average):
    a = par[0]
    k, strides, pads = par[1:a + 1], par[a + 1:2 * a + 1], pairs(par[2 * a + 1:])
    if average:
        pool = [F.avg_pool1d, F.avg_pool2d, F.avg_pool3d][a - 1]
        whole = pool(padded(torch.ones_like(first(x)), pads), k, strides)
        return last(pool(padded(first(x), pads), k, strides) / whole)
    pool = [F.max_pool1d, F.max_pool2d, F.max_pool3d][a - 1]
    return last(pool(padded(first(x), pads, -1e300), k, strides))


def recurrent(x, w, r, b, par, cell):
    inputs, units = x.shape[2], r.shape[0]
    module = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "simple_rnn": torch.nn.RNN}[cell]
    net = module(inputs, units, batch_first=True)
    order = [1, 0, 2] if cell == "gru" else range(w.shape[1] // units)  # Keras: z, r, h; PyTorch: r, z, n

    def arranged(v):
        parts = v.split(units, -1)
        return torch.cat([parts[i] for i in order], -1)

    own = {"weight_ih_l0": arranged(w).T, "weight_hh_l0": arranged(r).T}
    biases = b if b.dim() == 2 else [b, torch.zeros_like(b)]
    own["bias_ih_l0"], own["bias_hh_l0"] = arranged(biases[0]), arranged(biases[1])
    for name, value in own.items():
        del net._parameters[name]
        setattr(net, name, value)
    net._flat_weights = [own[name] for name in net._flat_weights_names]
    return net(x)[0]


def attention(q, v, wq, wk, wv, wo, par):
    heads = [torch.einsum("btf,fhd->bhtd", a, w) for a, w in ((q, wq), (v, wk), (v, wv))]
    scores = heads[0] @ heads[1].transpose(-1, -2) / wq.shape[-1] ** 0.5
    if par[0]:
        scores = scores.masked_fill(~torch.ones(scores.shape[-2:], dtype=torch.bool).tril(), -1e9)
    return torch.einsum("bhtd,hdf->btf", scores.softmax(-1) @ heads[2], wo)


def normalized(x, scale, offset, par):
    if kind == "batch_norm":
        return last(F.batch_norm(first(x), None, None, scale, offset, training=True, eps=0.001))
    if kind == "layer_norm":
        return F.layer_norm(x, x.shape[-1:], scale, offset, eps=0.001)
    return last(F.group_norm(first(x), par[0], scale, offset, eps=0.001))


apply = {
    "conv": convolved, "conv_transpose": transposed, "depthwise_conv": depthwise,
    "max_pool": lambda x, par: pooled(x, par, False), "average_pool": lambda x, par: pooled(x, par, True),
    "batch_norm": normalized, "layer_norm": normalized, "group_norm": normalized,
    "lstm": lambda x, w, r, b, par: recurrent(x, w, r, b, par, "lstm"),
    "gru": lambda x, w, r, b, par: recurrent(x, w, r, b, par, "gru"),
    "simple_rnn": lambda x, w, r, b, par: recurrent(x, w, r, b, par, "simple_rnn"), "attention": attention,
}[kind]

data, at = numpy.fromfile(numbers), 0
with open(cases) as lines, open(found, "wb") as results:
    for line in lines:
        par, wants, *shapes = [[int(v) for v in part.split(",")] for part in line.strip().split(";")]
        tensors = []
        for shape in shapes:
            size = int(numpy.prod(shape))
            tensors.append(torch.tensor(data[at:at + size].reshape(shape), requires_grad=True))
            at += size
        y = apply(*tensors[:-1], par)
        gradients = torch.autograd.grad(y, tensors[:wants[0]], tensors[-1].detach(), allow_unused=True)
        for x, g in zip([y] + list(tensors), (y,) + gradients):
            g = torch.zeros_like(x) if g is None else g
            g.detach().contiguous().numpy().tofile(results)
