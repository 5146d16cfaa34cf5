"""Published checkpoints of several widths: small random ones in their formats, and S0's protocol on them."""

import json
from collections import Counter

import pytest
import torch
from torch import nn

from empirical.__main__ import COMMANDS
from empirical.own.checkpoints import checksum, load_weights, read_state
from empirical.own.families import ResNet, members, published
from empirical.own.members import ENCODER, Member
from empirical.studies.families.plan import plan
from empirical.studies.families.study import PYTHIA
from figures import catalogue
from lab.cli import main
from lab.errors import ArgumentError, InputError


def resnet_state(width: int, blocks=(1, 1), bottleneck=False, stem=7, wide=1, seed=0) -> dict:
    """A state dict under torchvision's names, of random weights."""
    generator = torch.Generator().manual_seed(seed)
    state = {}

    def conv(name, out, channels, kernel):
        state[f"{name}.weight"] = torch.randn(out, channels, kernel, kernel, generator=generator) * (channels * kernel**2) ** -0.5

    def norm(name, channels):
        state[f"{name}.weight"], state[f"{name}.bias"] = torch.ones(channels), torch.zeros(channels)
        state[f"{name}.running_mean"], state[f"{name}.running_var"] = torch.zeros(channels), torch.ones(channels)

    conv("conv1", width, 3, stem)
    norm("bn1", width)
    channels = width
    for number, count in enumerate(blocks):
        inner = width * wide * 2**number
        out = width * 2**number * (4 if bottleneck else 1)
        for i in range(count):
            name = f"layer{number + 1}.{i}"
            sizes = [(inner, channels, 1), (inner, inner, 3), (out, inner, 1)]
            sizes = sizes if bottleneck else [(out, channels, 3), (out, out, 3)]
            for j, size in enumerate(sizes, 1):
                conv(f"{name}.conv{j}", *size)
                norm(f"{name}.bn{j}", size[0])
            if channels != out or (number and not i):
                conv(f"{name}.downsample.0", out, channels, 1)
                norm(f"{name}.downsample.1", out)
            channels = out
    state["fc.weight"], state["fc.bias"] = torch.randn(5, channels, generator=generator), torch.zeros(5)
    return state


def reference(state, x, blocks):
    """The same network by functions alone."""
    from torch.nn import functional as F

    def norm(x, name):
        return F.batch_norm(x, *(state[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")))

    x = F.relu(norm(F.conv2d(x, state["conv1.weight"], stride=2, padding=3), "bn1"))
    x = F.max_pool2d(x, 3, 2, 1)
    for number, count in enumerate(blocks, 1):
        for i in range(count):
            name, stride, way = f"layer{number}.{i}", 2 if number > 1 and i == 0 else 1, x
            if f"{name}.downsample.0.weight" in state:
                way = norm(F.conv2d(x, state[f"{name}.downsample.0.weight"], stride=stride), f"{name}.downsample.1")
            if f"{name}.conv3.weight" in state:  # bottleneck, the stride in the 3x3 convolution
                y = F.relu(norm(F.conv2d(x, state[f"{name}.conv1.weight"]), f"{name}.bn1"))
                y = F.relu(norm(F.conv2d(y, state[f"{name}.conv2.weight"], stride=stride, padding=1), f"{name}.bn2"))
                y = norm(F.conv2d(y, state[f"{name}.conv3.weight"]), f"{name}.bn3")
            else:
                y = F.relu(norm(F.conv2d(x, state[f"{name}.conv1.weight"], stride=stride, padding=1), f"{name}.bn1"))
                y = norm(F.conv2d(y, state[f"{name}.conv2.weight"], padding=1), f"{name}.bn2")
            x = F.relu(y + way)
    return F.linear(x.mean((2, 3)), state["fc.weight"], state["fc.bias"])


@pytest.mark.parametrize("changes", [{}, {"bottleneck": True}, {"bottleneck": True, "wide": 2}])
def test_resnets_of_any_size_are_read_from_their_tensors(tmp_path, changes):
    state = resnet_state(4, blocks=(2, 1), **changes)
    torch.save(state, tmp_path / "net.pth")
    x = torch.randn(3, 3, 32, 32)
    network = load_weights(ResNet(read_state(tmp_path / "net.pth")), tmp_path / "net.pth").eval()
    with torch.no_grad():
        torch.testing.assert_close(network(x), reference(state, x, (2, 1)))
    (member,) = members(tmp_path)
    assert member.width == 4 * changes.get("wide", 1) and "blocks 2-1" in member.family
    found = published(tmp_path, member)
    taps = {}
    with torch.no_grad():
        found(x.unsqueeze(0), taps)
        last = network.avgpool(network.layer2(network.layer1(network_stem(network, x)))).flatten(1)
    assert list(taps) == found.sites == ["layer1.0", "layer1.1", "penultimate"]
    torch.testing.assert_close(taps["penultimate"][0], last)


def network_stem(network, x):
    from torch.nn import functional as F

    return F.max_pool2d(F.relu(network.bn1(network.conv1(x))), 3, 2, 1)


@pytest.fixture
def family(tmp_path):
    """Three wide ResNets and four narrow ones, an own data set beside them."""
    folder = tmp_path / "family"
    folder.mkdir()
    for width, count in ((8, 2), (4, 2)):
        for seed in range(count):
            torch.save(resnet_state(width, stem=3, seed=10 * width + seed), folder / f"net{width}-{seed}.pth")
    return folder


def test_the_protocol_on_a_folder(family, tmp_path, capsys, short_fits):
    flags = ["family", "--folder", str(family), "--data", "tests.empirical.own_example:floats", "--rows", "90", "--out",
             str(tmp_path / "runs"), "--jobs", "1", "--json"]
    code = main("empirical", COMMANDS, [*flags, "--plot", str(tmp_path / "family.svg")])
    out, err = capsys.readouterr()
    assert code == 0, err
    assert "<svg" in (tmp_path / "family.svg").read_text()
    found = json.loads(out)
    assert [(row["alpha"], row["copies"]) for row in found["rows"]] == [("1", 1), ("1/2", 2)]
    assert found["rows"][0]["gap"]["mean"] == 0 < found["rows"][1]["span_error"]["mean"]
    import pandas

    table = pandas.read_csv(found["table"])
    assert set(table.site) == {"layer1.0", "penultimate"} and set(table.narrow[table.alpha == "1/2"]) == {"net4-0.pth net4-1.pth"}
    assert {e.claim for e in PYTHIA.evidence(table, ())} >= {"s0.narrow-does-not-span-wide", "s0.wide-performs-better"}
    torch.save(resnet_state(4, stem=3, seed=99), family / "net4-0.pth")  # another network under that name is another run
    main("empirical", COMMANDS, [*flags, "--dry-run", "--quick"])
    assert json.loads(capsys.readouterr().out)["missing"] == 1


def test_no_network_is_used_twice():
    found = [Member(name=f"{size}-{i}", kind=ENCODER, family="f", width=size) for size in (128, 256, 512) for i in range(10)]
    runs = plan(found, data="snli")
    assert Counter(run.alpha for run in runs) == {"1": 5, "1/2": 5, "1/4": 2}
    assert Counter(len(run.narrow) for run in runs if run.alpha == "1/4") == {4: 2}
    for alpha in ("1/2", "1/4"):
        used = [name for run in runs if run.alpha == alpha for name in run.names()]
        assert len(set(used)) == len(used)


def test_the_recipe_for_pythia_is_declared_and_not_yet_measured(tmp_path, monkeypatch):
    monkeypatch.setenv("WIDTHLAB_DATA", str(tmp_path))
    assert "pythia-width" in catalogue.studies() and PYTHIA.plan("published") and PYTHIA.at("published") == []
    runs = PYTHIA.declared("published")
    assert Counter(run.alpha for run in runs) == {"1": 5, "1/2": 5, "1/4": 2}
    assert {run.width for run in runs} == {512} and runs[-1].narrow == tuple(f"pythia-14m-seed{i}" for i in (4, 5, 6, 7))
    assert catalogue.best_table("pythia-width", tmp_path) is None


@pytest.mark.parametrize("counts", [{8: 1, 4: 2}, {8: 2, 4: 1}, {8: 2, 6: 2}, {8: 4}])
def test_families_that_allow_no_comparison(tmp_path, counts):
    for size, number in counts.items():
        for seed in range(number):
            torch.save(resnet_state(size, stem=3), tmp_path / f"n{size}-{seed}.pth")
    with pytest.raises(ArgumentError, match="two networks of its largest width") as caught:
        plan(members(tmp_path), data="digits")
    assert f"{counts[8]} of width 8" in str(caught.value) and len(str(caught.value).splitlines()) == 1


def test_folders_that_hold_nothing_of_use(tmp_path):
    with pytest.raises(ArgumentError, match="holds no checkpoint"):
        members(tmp_path)
    torch.save(nn.Linear(2, 2).state_dict(), tmp_path / "other.pth")
    (tmp_path / ".hidden").mkdir()
    with pytest.raises(ArgumentError, match="holds no checkpoint"):
        members(tmp_path)
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "config.json").write_text('{"hidden_size": 8}')
    with pytest.raises(InputError, match="num_hidden_layers"):
        members(tmp_path)
    with pytest.raises(ArgumentError, match="is not a folder"):
        members(tmp_path / "nowhere")


def test_shards_and_checksums_of_a_folder(tmp_path):
    from safetensors.torch import save_file

    state = resnet_state(4)
    names = sorted(state)
    for i, part in enumerate((names[:5], names[5:])):
        save_file({name: state[name] for name in part}, tmp_path / f"model-{i}.safetensors")
    index = {"weight_map": {name: f"model-{int(name in names[5:])}.safetensors" for name in names}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    found, before = read_state(tmp_path), checksum(tmp_path)
    assert all(torch.equal(found[name], state[name]) for name in names) and set(found) == set(names)
    save_file({name: state[name] + 1 for name in names[:5]}, tmp_path / "model-0.safetensors")
    assert checksum(tmp_path) != before
    index["weight_map"][names[0]] = "../model-0.safetensors"
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(InputError, match="outside its folder"):
        read_state(tmp_path)


def tokenizer(path):
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    from empirical.data.entailment import generate

    made = Tokenizer(models.BPE(unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.train_from_iterator([s for pair in generate(60) for s in pair[:2]], trainers.BpeTrainer(
        vocab_size=90, special_tokens=["<unk>"], show_progress=False))
    made.save(str(path))


def test_pairs_in_the_tokens_of_a_network(tmp_path):
    from empirical.studies.families.texts import tokenised

    with pytest.raises(InputError, match="tokenizer"):
        tokenised("entailment", None, tmp_path, 0)
    tokenizer(tmp_path / "tokenizer.json")
    data = tokenised("entailment", None, tmp_path, 12)
    assert data.inputs.shape[1] == 12 and data.is_text and data.classes == 3
    assert int(data.inputs.max()) < data.vocabulary and (data.inputs[:, 0] > 0).all()


def test_without_transformers_the_message_says_what_to_install(tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "transformers", None)
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "config.json").write_text('{"hidden_size": 8, "num_hidden_layers": 2, "model_type": "gpt_neox"}')
    (member,) = members(tmp_path)
    assert (member.width, member.family) == (8, "gpt_neox, 2 layers")
    with pytest.raises(ArgumentError, match=r"pip install 'widthlab\[encoders\]'"):
        published(tmp_path, member)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet18", "resnet50", "wide_resnet50_2"])
def test_torchvisions_own_networks(tmp_path, name):
    models = pytest.importorskip("torchvision.models")
    theirs = getattr(models, name)().eval()
    torch.save(theirs.state_dict(), tmp_path / f"{name}.pth")
    (member,) = members(tmp_path)
    assert member.width == (128 if name.startswith("wide") else 64)
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(published(tmp_path, member).network(x), theirs(x))


@pytest.mark.slow
def test_encoders_in_the_form_of_hugging_face(tmp_path, capsys):
    transformers = pytest.importorskip("transformers")
    for size, seeds in ((16, 2), (8, 2)):
        for seed in range(seeds):
            torch.manual_seed(10 * size + seed)
            config = transformers.GPTNeoXConfig(hidden_size=size, num_hidden_layers=2, num_attention_heads=2, vocab_size=100,
                                                intermediate_size=32, max_position_embeddings=32)
            path = tmp_path / "family" / f"pythia-{size}-seed{seed}"
            transformers.AutoModelForCausalLM.from_config(config).save_pretrained(path, safe_serialization=True)
            tokenizer(path / "tokenizer.json")
    found = members(tmp_path / "family")
    assert [m.width for m in found] == [8, 8, 16, 16]
    one = published(tmp_path / "family", found[-1])
    ids = torch.randint(1, 90, (4, 7))
    ids[:, 5:] = 0
    taps = {}
    with torch.no_grad():
        one(ids.unsqueeze(0), taps)
        direct = one.network(input_ids=ids[:, :5] - 1).last_hidden_state.mean(1)
    assert list(taps) == ["layers.0", "layers.1", "penultimate"]
    torch.testing.assert_close(taps["penultimate"][0], direct)
    from safetensors.torch import load_file, save_file

    cut = tmp_path / "cut" / "one"
    one.network.save_pretrained(cut, safe_serialization=True)
    weights = load_file(cut / "model.safetensors")
    save_file({name: value for name, value in weights.items() if "layers.1" not in name}, cut / "model.safetensors",
              metadata={"format": "pt"})
    with pytest.raises(InputError, match=r"lacks \d+ of the network's weights, layers\.1"):
        published(tmp_path / "cut", members(tmp_path / "cut")[0])
    code = main("empirical", COMMANDS, ["family", "--folder", str(tmp_path / "family"), "--data", "entailment", "--rows", "90",
                                        "--out", str(tmp_path / "runs"), "--jobs", "1", "--max-length", "16", "--json"])
    out, err = capsys.readouterr()
    assert code == 0, err
    assert [row["copies"] for row in json.loads(out)["rows"]] == [1, 2]
