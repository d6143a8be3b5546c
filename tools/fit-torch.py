"""Write tests/testthat/fit-torch.R: epochs of training in PyTorch in double, for test-fit.R.

usage: python3 tools/fit-torch.py > tests/testthat/fit-torch.R     (made with PyTorch 1.13)

Networks of 4, 5 (tanh) and some outputs on 20 rows in batches of 8, in order: gradients by PyTorch, the optimizers' steps written
here in Keras' form (the epsilon of Adam beside the uncorrected root, that of RMSprop under the root). Losses are those that
Keras reports: means over the rows while the weights move, with the penalty.
"""
import numpy
import torch

ROWS, BATCH, EPOCHS = 20, 8, 3


def r_array(x):
    x = numpy.asarray(x)
    numbers = ", ".join(repr(float(v)) for v in x.ravel(order="F"))
    return "array(c(%s), c(%s))" % (numbers, ", ".join(map(str, x.shape)))


def adam(p, s, t, rate=0.01, b1=0.9, b2=0.999, eps=1e-7):
    m, v = s.setdefault("m", torch.zeros_like(p)), s.setdefault("v", torch.zeros_like(p))
    m.mul_(b1).add_((1 - b1) * p.grad)
    v.mul_(b2).add_((1 - b2) * p.grad**2)
    p.sub_(rate * (1 - b2**t) ** 0.5 / (1 - b1**t) * m / (v.sqrt() + eps))


def rmsprop(p, s, t, rate=0.01, rho=0.9, eps=1e-7):
    v = s.setdefault("v", torch.zeros_like(p))
    v.mul_(rho).add_((1 - rho) * p.grad**2)
    p.sub_(rate * p.grad / (v + eps).sqrt())


def momentum(p, s, t, rate=0.05, beta=0.9):
    v = s.setdefault("v", torch.zeros_like(p))
    v.mul_(beta).sub_(rate * p.grad)
    p.add_(v)


def train(x, y, outputs, loss, step, l2=0.0):
    p = [torch.randn(4, 5) / 2, torch.randn(5) / 2, torch.randn(5, outputs) / 2, torch.randn(outputs) / 2]
    start = [w.clone() for w in p]
    for w in p:
        w.requires_grad_()
    states, t, losses = [{} for _ in p], 0, []
    for _ in range(EPOCHS):
        total = 0.0
        for i in range(0, ROWS, BATCH):
            bx, by = x[i : i + BATCH], y[i : i + BATCH]
            value = loss(torch.tanh(bx @ p[0] + p[1]) @ p[2] + p[3], by) + l2 * (p[0] ** 2).sum()
            for w in p:
                w.grad = None
            value.backward()
            t += 1
            with torch.no_grad():
                for w, s in zip(p, states):
                    step(w, s, t)
            total += value.item() * len(bx)
        losses.append(total / ROWS)
    return start, [w.detach() for w in p], losses


def case(name, x, y, *args, **more):
    start, end, losses = train(x, y, *args, **more)
    lists = ["list(%s)" % ", ".join(r_array(w) for w in ws) for ws in (start, end)]
    print("  %s = list(\n    y = %s,\n    start = %s,\n    end = %s,\n    losses = c(%s)\n  )%s"
          % (name, r_array(y), *lists, ", ".join(map(repr, losses)), "" if name == "momentum_mse" else ","))


torch.set_default_dtype(torch.float64)
torch.manual_seed(1)
nn = torch.nn.functional
x = torch.randn(ROWS, 4)
print("# Made by tools/fit-torch.py.\nfit_torch <- list(\n  x = %s," % r_array(x))
case("adam_binary", x, (torch.rand(ROWS, 1) > 0.5).double(), 1, nn.binary_cross_entropy_with_logits, adam)
case("rmsprop_sparse_l2", x, torch.randint(0, 3, (ROWS,)), 3, nn.cross_entropy, rmsprop, l2=0.01)
case("momentum_mse", x, torch.randn(ROWS, 2), 2, nn.mse_loss, momentum)
print(")")
