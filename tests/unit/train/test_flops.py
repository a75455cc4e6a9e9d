import pytest
from torch.utils.flop_counter import FlopCounterMode

from etalage.data.dataset import Examples
from etalage.data.packing import collate
from etalage.train.flops import step_flops
from etalage.train.objectives import sft_loss
from etalage.train.trainable import make_trainable

PARTS = ("tower", "projector", "decoder")


@pytest.mark.parametrize("frozen", [(), ("tower",), ("tower", "projector"), ("decoder",)])
def test_the_count_is_what_full_fine_tuning_computes(small, config, task, products, open_image, frozen):
    """Eager attention computes the masked half, too, which is added to the count."""
    model, processor = small
    make_trainable(model, config(freeze=frozen))
    model.set_attn_implementation({"": "eager"})
    encoded = Examples(products, task, processor, open_image)[0]
    batch = collate([encoded])
    inputs = batch.inputs(processor.image_processor, model.device)
    with FlopCounterMode(display=False) as counter:
        sft_loss(model, inputs, batch.labels).backward()
    length, num_crops = len(encoded.input_ids), len(inputs["pixel_values"])
    counted = step_flops(
        model.config,
        [length],
        num_crops,
        num_crops,
        encoded.num_supervised,
        trained=set(PARTS) - set(frozen),
        full=True,
    )
    masked = 3 * model.config.num_hidden_layers * model.config.hidden_size * 2 * length**2
    assert counted + masked == pytest.approx(counter.get_total_flops(), rel=0.03)
