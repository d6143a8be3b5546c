"""python3 tools/torch-files.py: writes tests/testthat/files/torch-*.safetensors, the state_dict of small models of
PyTorch, each with an input and an output among its tensors (Debian: python3-torch)."""
import json, struct
import torch
from torch import nn

torch.manual_seed(1)

def write(name, model, x, y):
    model.eval()
    tensors = {k: v for k, v in model.state_dict().items()}
    tensors["check_x"], tensors["check_y"] = x, y
    head, data = {}, b""
    # the order of the reference implementation: wide types first, then by name
    for key in sorted(tensors, key=lambda k: (tensors[k].dtype != torch.int64, k)):
        t = tensors[key].detach().contiguous()
        kind = {torch.float32: "F32", torch.int64: "I64"}[t.dtype]
        raw = t.numpy().tobytes()
        head[key] = {"dtype": kind, "shape": list(t.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 8)
    with open("tests/testthat/files/torch-%s.safetensors" % name, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)

def settle(model):
    for m in model.modules():
        if isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d)):
            m.running_mean.normal_(); m.running_var.uniform_(0.5, 2)
            nn.init.normal_(m.weight); nn.init.normal_(m.bias)
    return model.eval()

images = settle(nn.Sequential(nn.Conv2d(2, 4, (3, 2), padding=(1, 0)), nn.BatchNorm2d(4), nn.ReLU(),
    nn.Conv2d(4, 8, 3, groups=4), nn.PReLU(8), nn.ConvTranspose2d(8, 3, 2, stride=2), nn.Flatten(), nn.Dropout(),
    nn.Linear(3 * 8 * 6, 3)))
x = torch.randn(2, 2, 6, 6)
write("images", images, x.permute(0, 2, 3, 1), images(x))

class Steps(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(10, 6)
        self.encoder = nn.LSTM(6, 4, num_layers=2, batch_first=True)
        self.ways = nn.GRU(4, 3, batch_first=True, bidirectional=True)
        self.heads = nn.MultiheadAttention(6, 2, batch_first=True)
        self.norm = nn.LayerNorm(6)
        self.simple = nn.RNN(6, 3, batch_first=True)
        self.out = nn.ModuleDict({"end": nn.Linear(3, 2)})
    def forward(self, x):
        h = self.ways(self.encoder(self.words(x))[0])[0]
        h = self.norm(h + self.heads(h, h, h)[0])
        return self.out["end"](self.simple(h)[0][:, -1])
steps = settle(Steps())
for p in steps.parameters(): nn.init.normal_(p, std=0.5)
x = torch.randint(0, 10, (2, 5))
write("steps", steps, x, steps(x))
