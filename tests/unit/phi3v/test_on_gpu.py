"""What only a GPU can show. Skipped elsewhere."""

from pathlib import Path

import pytest
import torch
from transformers import BatchFeature

from etalage.catalogue.pictures import open_picture
from etalage.data.encoding import encode
from etalage.data.packing import collate
from etalage.models import load_base
from etalage.phi3v import Phi3VForCausalLM, Phi3VProcessor, attention_kernels
from etalage.phi3v.attention import PACKED, packed_attention
from etalage.task import Product, Task

from .conftest import small_model

pytestmark = [
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU"),
    pytest.mark.filterwarnings("default"),  # torch's compiler warns of itself
]


@pytest.fixture
def batch(processor: Phi3VProcessor, pictures: list) -> BatchFeature:
    texts = ["no picture here", "<|image_2|>x<|image_1|>", "see <|image_1|>"]
    rows = [[], pictures[:2], pictures[2:3]]
    return processor(texts, rows, padding=True, padding_side="left", return_tensors="pt")


def real_logits(model: Phi3VForCausalLM, batch: BatchFeature) -> torch.Tensor:
    inputs = {name: tensor.to(model.device) for name, tensor in batch.items()}
    with torch.no_grad():
        return model(**inputs).logits.float().cpu()[batch["attention_mask"].bool()]


def test_float32_equals_the_cpu(batch: BatchFeature) -> None:
    expected = real_logits(small_model(), batch)
    torch.testing.assert_close(real_logits(small_model().cuda(), batch), expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("attention", ["eager", "sdpa", "flex_attention"])
def test_bfloat16_is_near(attention: str, batch: BatchFeature) -> None:
    factors = {"short_factor": [1.0] * 8, "long_factor": [2.0] * 8}
    # heads of 16: flex_attention's kernels take no smaller ones
    settings = {"hidden_size": 32, "rope_scaling": {"type": "su"} | factors, "initializer_range": 0.1}
    expected = real_logits(small_model(**settings), batch)
    model = small_model(**settings).cuda().bfloat16()
    model.set_attn_implementation({"": attention, "vision_config": "sdpa"})
    torch.testing.assert_close(real_logits(model, batch), expected, rtol=0.1, atol=0.1)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_features_are_as_wide_as_weights(dtype: torch.dtype) -> None:
    """Autocast's norms answer in float32, whatever they are given."""
    model = small_model().cuda().to(dtype)
    crops = torch.randn(1, 3, model.config.crop_size, model.config.crop_size, device="cuda")
    with torch.autocast("cuda", torch.bfloat16):
        assert model.model.vision_embed_tokens.tower_features(crops).dtype == dtype


def test_compiled_equals_eager(batch: BatchFeature) -> None:
    model = small_model().cuda()
    expected = real_logits(model, batch)
    torch.compiler.reset()
    torch.testing.assert_close(real_logits(torch.compile(model), batch), expected, rtol=1e-3, atol=1e-3)
    torch.compiler.reset()


@pytest.mark.parametrize("settings", [{"cache_implementation": "static"}, {"use_cache": False}], ids=str)
def test_generation_is_the_same_whatever_the_cache(settings: dict, batch: BatchFeature) -> None:
    model = small_model(original_max_position_embeddings=512).cuda()
    inputs = batch.to("cuda")
    expected = model.generate(**inputs, max_new_tokens=12, do_sample=False)
    assert model.generate(**inputs, max_new_tokens=12, do_sample=False, **settings).equal(expected)


def test_placed_by_accelerate(batch: BatchFeature, tmp_path: Path) -> None:
    small_model().save_pretrained(tmp_path)
    placed = Phi3VForCausalLM.from_pretrained(tmp_path, device_map="auto")
    assert placed.device.type == "cuda"
    torch.testing.assert_close(real_logits(placed, batch), real_logits(small_model(), batch), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("sliding_window", [None, 40])
def test_packed_equals_unpacked(sliding_window: int | None, task: Task, products: list[Product]) -> None:
    """In bfloat16, through one kernel for all examples, as near to float32 as each example alone."""
    model, processor = load_base("small", dtype=torch.float32)
    model.config.sliding_window = sliding_window or model.config.sliding_window
    encoded = [
        encode(processor, task.prompt, task.format_answer(p.values), [open_picture(p.image)]) for p in products[:3]
    ]

    def logits(rows: list) -> torch.Tensor:
        inputs = (collate(row).inputs(processor.image_processor, model.device) for row in rows)
        with torch.no_grad():
            return torch.cat([model(**row, use_cache=False).logits[0].float().cpu() for row in inputs])

    exact = logits([[e] for e in encoded])
    model.cuda().bfloat16()
    alone = logits([[e] for e in encoded])
    model.set_attn_implementation(PACKED)
    errors = [(given - exact).norm() / exact.norm() for given in (alone, logits([encoded]))]
    assert errors[1] < 0.05
    assert errors[1] < 1.5 * errors[0]


@pytest.mark.parametrize("lengths", [[48, 48, 48], [64, 64, 32, 16, 16]])
@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("kernels", ["cuDNN", "FlashAttention 4"])
def test_attention_and_its_gradients_are_near(
    lengths: list[int], causal: bool, kernels: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside float32."""
    if kernels == "cuDNN":
        monkeypatch.setattr(attention_kernels, "flash_attention", lambda device: None)
    elif attention_kernels.flash_attention(torch.device("cuda")) is None:
        pytest.skip("not installed")
    torch.manual_seed(0)
    states = [torch.randn(1, 4, sum(lengths), 96) for _ in range(4)]
    cu_seqlens = torch.tensor([0, *lengths]).cumsum(0).int()
    if not causal:  # whole rows of one length, as a tower's crops are
        states, cu_seqlens = [torch.randn(3, 4, 57, 64) for _ in range(4)], None

    def attend(device: str, dtype: torch.dtype) -> list[torch.Tensor]:
        query, key, value, grad = (t.to(device, dtype) for t in states)
        given = [t.requires_grad_() for t in (query, key, value)]
        module = torch.nn.Module()
        module.is_causal = causal
        where = {} if cu_seqlens is None else {"cu_seq_lens_q": cu_seqlens, "max_length_q": max(lengths)}
        out, _ = packed_attention(module, *given, None, **where)
        return [t.float().cpu() for t in (out, *torch.autograd.grad(out, given, grad.transpose(1, 2)))]

    for expected, found in zip(attend("cpu", torch.float32), attend("cuda", torch.bfloat16), strict=True):
        assert (found - expected).norm() < 0.02 * expected.norm()


def test_gradients_do_not_depend_on_the_layout_of_an_earlier_call() -> None:
    """Torch keeps a plan of cuDNN's by the layout of query, key and value alone."""
    torch.manual_seed(0)
    length, heads, width = 151, 4, 64
    states = [torch.randn(length, heads, width, device="cuda", dtype=torch.bfloat16) for _ in range(3)]
    grad = torch.randn(heads, length, width, device="cuda", dtype=torch.bfloat16).transpose(0, 1)
    out, lse = attention_kernels.attend_packed(*states, None, length, True, None)
    options = (*states, out, lse, None, length, True, None)
    layouts = [grad.contiguous(), grad, torch.stack([grad, grad], 1)[:, 1]]
    expected, *others = (attention_kernels.attend_packed_backward(layout, *options) for layout in layouts)
    for found in others:
        torch.testing.assert_close(found, expected)


def test_gradients_do_not_depend_on_earlier_calls_of_torchs_attention() -> None:
    """Torch lays out an output as the query, and keeps plans of cuDNN's by the layout of the query."""
    torch.manual_seed(0)
    length = 173
    states = [torch.randn(1, 4, length, 64, device="cuda") for _ in range(3)]
    grad = torch.randn(1, length, 4, 64, device="cuda")
    packed = {"cu_seq_lens_q": torch.tensor([0, length], dtype=torch.int32), "max_length_q": length}

    def gradients(dtype: torch.dtype) -> list[torch.Tensor]:
        given = [state.to(dtype).requires_grad_() for state in states]
        with torch.autocast("cuda", torch.bfloat16):
            out, _ = packed_attention(torch.nn.Module(), *given, None, **packed)
        return [found.float() for found in torch.autograd.grad(out, given, grad.to(out.dtype))]

    # float32 goes to torch's own attention, and bfloat16 to the packed kernels; both use cuDNN in bfloat16.
    first, second, third = (gradients(dtype) for dtype in (torch.float32, torch.bfloat16, torch.float32))
    for plain, packed_, again in zip(first, second, third, strict=True):
        assert (packed_ - plain).norm() < 0.02 * plain.norm()
        assert (again - plain).norm() < 0.02 * plain.norm()
