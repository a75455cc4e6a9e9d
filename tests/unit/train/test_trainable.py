from etalage.train.trainable import make_trainable, trainable_parameters


def test_full_trains_all_that_the_output_depends_on(small, config):
    model = make_trainable(small[0], config())
    frozen = {name for name, p in model.named_parameters() if not p.requires_grad}
    assert frozen
    assert all("encoder.layers.3." in name or "post_layernorm" in name for name in frozen)


def test_lora_reaches_decoder_tower_projector_and_head(small, config):
    model = make_trainable(small[0], config(recipe="lora", lora_rank=4))
    names = trainable_parameters(model)
    assert all("lora_" in name for name in names)
    for part in ("qkv_proj", "o_proj", "gate_up_proj", "down_proj", "lm_head", "img_projection.0", "fc1", "q_proj"):
        assert any(part in name for name in names), part
    assert not any("encoder.layers.3." in name for name in names), "the tower's last layer is never read"
