import torch

from etalage.data.dataset import Examples
from etalage.data.packing import collate
from etalage.train.objectives import sft_loss


def test_equals_the_models_own_loss_times_the_supervised_tokens(small, task, products, open_image):
    model, processor = small
    examples = Examples(products, task, processor, open_image)
    encoded = [examples[i] for i in range(4)]
    batch = collate(encoded)
    inputs = batch.inputs(processor.image_processor, model.device)
    with torch.no_grad():
        expected = model(**inputs, labels=batch.labels).loss * sum(e.num_supervised for e in encoded)
        torch.testing.assert_close(sft_loss(model, inputs, batch.labels), expected, rtol=1e-5, atol=1e-5)
