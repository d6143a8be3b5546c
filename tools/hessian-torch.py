"""Write tests/testthat/hessian-torch.R: Hessians of small networks by PyTorch in double, for test-hessian.R.

usage: python3 tools/hessian-torch.py > tests/testthat/hessian-torch.R     (made with PyTorch 1.13)

Two inputs, three hidden units, two outputs. All weights are one vector, in R's order: kernel, bias, kernel, bias, each
kernel (inputs, units) column by column.
"""
import numpy
import torch

N, I, U, O = 6, 2, 3, 2


def r_array(x):
    x = numpy.asarray(x)
    numbers = ", ".join(repr(float(v)) for v in x.ravel(order="F"))
    text = "array(c(%s), c(%s))" % (numbers, ", ".join(map(str, x.shape)))
    lines = [""]
    for word in text.split(" "):
        if len(lines[-1]) + len(word) > 90:
            lines.append("     ")
        lines[-1] += ("" if lines[-1] in ("", "     ") else " ") + word
    return "\n".join(line.rstrip() for line in lines)


def network(v, x, activation):
    at = 0
    for inputs, units in ((I, U), (U, O)):
        w = v[at:at + inputs * units].reshape(units, inputs).T
        b = v[at + inputs * units:at + inputs * units + units]
        at += inputs * units + units
        x = x @ w + b
        if at < len(v):
            x = activation(x)
    return x


torch.set_default_dtype(torch.float64)
torch.manual_seed(1)
x, y, v = torch.randn(N, I), torch.randn(N, O), torch.randn((I + 1) * U + (U + 1) * O)
labels = torch.randint(0, O, (N,))
losses = {
    "tanh_squared": lambda v: torch.nn.functional.mse_loss(network(v, x, torch.tanh), y),
    "gelu_squared": lambda v: torch.nn.functional.mse_loss(network(v, x, torch.nn.functional.gelu), y),
    "sigmoid_softmax": lambda v: torch.nn.functional.cross_entropy(network(v, x, torch.sigmoid), labels),
}
found = {"x": x, "y": y, "labels": labels, "weights": v}
found.update((name, torch.autograd.functional.hessian(loss, v)) for name, loss in losses.items())
print("# Made by tools/hessian-torch.py.")
print("hessian_torch <- list(\n%s\n)" % ",\n".join("  %s = %s" % (name, r_array(value)) for name, value in found.items()))
