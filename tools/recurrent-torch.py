"""Write tests/testthat/recurrent-torch.R: outputs and gradients of PyTorch's recurrent layers in double, for test-op-recurrent.R.

usage: python3 tools/recurrent-torch.py > tests/testthat/recurrent-torch.R     (made with PyTorch 1.13)

Sequences of lengths 4, 2, 3, as packed sequences; the loss is sum(weight * output) over the real steps, for the LSTM plus
sum(weight_c * c) at the end. Weights are turned to Keras' layout: (inputs, gates), gates in Keras' order.
"""
import numpy
import torch

B, T, I, U = 3, 4, 2, 3
LENGTHS = [4, 2, 3]
ORDER = {"lstm": [0, 1, 2, 3], "gru": [1, 0, 2], "simple_rnn": [0]}  # torch: i f g o; r z n


def r_array(x):
    x = numpy.asarray(x)
    numbers = ", ".join(repr(float(v)) for v in x.ravel(order="F"))
    return "array(c(%s), c(%s))" % (numbers, ", ".join(map(str, x.shape)))


def keras(x, order):
    """(gates U, n) or (gates U) to (n, gates U) or (gates U), gates reordered"""
    parts = numpy.split(x.detach().numpy(), len(order))
    x = numpy.concatenate([parts[i] for i in order])
    return x.T


def case(name, layer):
    order = ORDER[name]
    for p in layer.parameters():
        torch.nn.init.uniform_(p, -1, 1)
    x = (2 * torch.rand(B, T, I) - 1).requires_grad_()
    packed = torch.nn.utils.rnn.pack_padded_sequence(x, LENGTHS, batch_first=True, enforce_sorted=False)
    packed, state = layer(packed)
    y, _ = torch.nn.utils.rnn.pad_packed_sequence(packed, batch_first=True)
    real = (torch.arange(T)[None, :] < torch.tensor(LENGTHS)[:, None])[:, :, None]
    weight = torch.rand(B, T, U) * real
    weight_c = torch.rand(B, U)
    loss = (weight * y).sum()
    if name == "lstm":
        loss = loss + (weight_c * state[1][0]).sum()
    loss.backward()
    w, r, b, c = layer.weight_ih_l0, layer.weight_hh_l0, layer.bias_ih_l0, layer.bias_hh_l0
    if name == "gru":
        bias = numpy.stack([keras(b, order), keras(c, order)])
        dbias = numpy.stack([keras(b.grad, order), keras(c.grad, order)])
    else:
        bias, dbias = keras(b, order) + keras(c, order), keras(b.grad, order)
    found = {
        "x": x.detach(), "kernel": keras(w, order), "recurrent_kernel": keras(r, order), "bias": bias, "weight": weight, "weight_c": weight_c,
        "y": y.detach(), "c": state[1][0].detach() if name == "lstm" else numpy.zeros((B, U)),
        "dx": x.grad, "dkernel": keras(w.grad, order), "drecurrent_kernel": keras(r.grad, order), "dbias": dbias,
    }
    return "  %s = list(\n%s\n  )" % (name, ",\n".join("    %s = %s" % (key, r_array(value)) for key, value in found.items()))


torch.set_default_dtype(torch.float64)
torch.manual_seed(1)
print("# Made by tools/recurrent-torch.py.")
print("recurrent_torch <- list(")
print(",\n".join([
    case("lstm", torch.nn.LSTM(I, U, batch_first=True)), case("gru", torch.nn.GRU(I, U, batch_first=True)),
    case("simple_rnn", torch.nn.RNN(I, U, batch_first=True)),
]))
print(")")
