import torch

from etalage.batches import Examples, collate
from etalage.train.objectives import sft_loss


def test_equals_the_models_own_loss_times_the_supervised_tokens(small, task, products, open_image):
    model, processor = small
    examples = Examples(products, task, processor, open_image)
    encoded = [examples[i] for i in range(4)]
    batch = collate(encoded, pad_id=processor.tokenizer.pad_token_id)
    with torch.no_grad():
        expected = model(**batch).loss * sum(e.num_supervised for e in encoded)
        torch.testing.assert_close(sft_loss(model, batch), expected, rtol=1e-5, atol=1e-5)
