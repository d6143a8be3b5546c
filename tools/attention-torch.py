# Values and gradients of multi-head attention by PyTorch, for test-layer-attention.R.
#   python3 tools/attention-torch.py > tests/testthat/attention-torch.R
# All inputs and weights are waves, sin(k i) along the numbers in row-major order, which the test makes again.
import textwrap

import torch

torch.set_default_dtype(torch.float64)


def wave(k, *shape):
    n = 1
    for size in shape:
        n *= size
    return torch.sin(k * torch.arange(1, n + 1)).reshape(shape).requires_grad_()


def vector(x):
    numbers = "c(" + ", ".join("%.12g" % v for v in x.detach().reshape(-1)) + ")"
    return "\n    ".join(textwrap.wrap(numbers, 100))


def show(name, values):
    print("%s <- list(\n  %s\n)" % (name, ",\n  ".join("%s = %s" % (k, vector(v)) for k, v in values.items())))


print("# Made by tools/attention-torch.py: numbers in row-major order.")

# batch 2, query of 3 steps, values of 4, 4 features, 2 heads of 2; the last value of sample 2 is padding
q, v = wave(0.7, 2, 3, 4), wave(1.3, 2, 4, 4)
names = ["query", "key", "value", "out"]
kernels = [wave(0.3 + 0.2 * i, 4, 4) for i in range(4)]  # (inputs, heads * size), for "out" (heads * size, outputs)
biases = [wave(0.5 + 0.1 * i, 4) for i in range(4)]
heads = torch.nn.MultiheadAttention(4, 2, batch_first=True)
padding = torch.tensor([[False] * 4, [False] * 3 + [True]])
sees = torch.nn.functional.multi_head_attention_forward
y, w = sees(
    q.transpose(0, 1), v.transpose(0, 1), v.transpose(0, 1), 4, 2, None, torch.cat(biases[:3]), None, None, False, 0.0,
    kernels[3].T, biases[3], training=False, key_padding_mask=padding, need_weights=True,
    attn_mask=torch.triu(torch.ones(3, 4, dtype=torch.bool), 1), use_separate_proj_weight=True,
    q_proj_weight=kernels[0].T, k_proj_weight=kernels[1].T, v_proj_weight=kernels[2].T, average_attn_weights=False)
y = y.transpose(0, 1)
(y * wave(0.9, 2, 3, 4)).sum().backward()
show("attention_torch", {"y": y, "w": w, "dq": q.grad, "dv": v.grad,
                         **{"d" + n: k.grad for n, k in zip(names, kernels)},
                         **{"db_" + n: b.grad for n, b in zip(names, biases)}})
