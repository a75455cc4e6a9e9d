"""Write the small model's configuration and tokenizer: `python -m pretraining.tokenizer FOLDER`.

The same version gives the same bytes.

The tokenizer is built like Phi-3's: byte-pair pieces with byte fallback, spaces as "▁", a BOS in front, and the same
special tokens in the same order. It has only fewer pieces, 2,048 in all. Weights come from `pretraining.pretrain`.
"""

import json
import random
import sys

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import GenerationConfig, PreTrainedTokenizerFast

from etalage.phi3v import Phi3VConfig, Phi3VImageProcessor, Phi3VProcessor
from etalage.sample.brands import make_brand
from etalage.task import format_price

# With the twelve special tokens, 2,048.
NUM_PIECES = 2036
SPECIAL_TOKENS = [
    "<|endoftext|>",
    "<|assistant|>",
    "<|placeholder1|>",
    "<|placeholder2|>",
    "<|placeholder3|>",
    "<|placeholder4|>",
    "<|system|>",
    "<|end|>",
    "<|placeholder5|>",
    "<|placeholder6|>",
    "<|user|>",
    "<|image|>",
]
RSTRIP = {"<|assistant|>", "<|image|>", *(token for token in SPECIAL_TOKENS if "placeholder" in token)}
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|' + message['role'] + '|>\\n' + message['content'] + '<|end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt and messages[-1]['role'] != 'assistant' %}{{ '<|assistant|>\\n' }}{% endif %}"
)

COLOURS = """
amber apricot aqua beige black blue brass bronze brown burgundy camel charcoal chocolate cobalt copper coral
cream crimson dark denim ecru emerald fuchsia gold green grey hazel indigo ivory jade khaki lavender light
lilac lime magenta maroon mauve mint multicolour mustard navy nude ochre olive orange peach pearl petrol pink
plum purple red rose ruby rust sage salmon sand scarlet silver sky slate tan taupe teal terracotta turquoise
vanilla violet white wine yellow
"""
MATERIALS = """
acrylic bamboo canvas cashmere ceramic chiffon cord corduroy cotton crepe crystal denim down felt flannel
fleece fur gabardine glass jacquard jersey knit lace lambskin leather linen mesh metal merino mohair neoprene
nylon oak organza patent plastic polyester porcelain quilted rubber satin shearling silk steel stone suede
technical terry tweed twill velvet vinyl viscose walnut wood wool
"""
PATTERNS = """
abstract animal argyle camouflage check checked chevron colour block dotted embroidered floral geometric
gingham graphic houndstooth leopard logo monogram paisley pinstripe plaid plain polka dot print printed ribbed
solid striped stripe tartan tie-dye vintage zigzag
"""
PRODUCTS = """
accessory anklet backpack bag bangle beanie belt bikini blanket blazer blouse boots bottle bowl box bracelet
brooch bucket bag cap cape cardigan case chair charm clock clutch coat cufflinks cup cushion dress dungarees
earrings espadrilles eyewear flats fragrance glasses gloves gown handbag hat headband heels helmet hoodie
jacket jeans jewellery joggers jumper keyring kilt knife lamp leggings loafers mat mirror mug necklace
overshirt pants parka pendant perfume phone pillow plate polo pouch puffer pumps purse pyjamas ring rug
sandals sarong scarf shawl shelf shirt shoes shorts shoulder bag skirt slippers sneakers socks sofa spoon
stockings stole suit suitcase sunglasses sweater sweatshirt swimsuit t-shirt table tie tights top tote towel
toy trainers trench coat trousers tunic umbrella vase vest waistcoat wallet watch wrap
"""
MAKES = """
adult baby belted boys children classic collection cropped double edition extra fit fitted fold girls hand
heritage hooded large little long loose low made medium mid mini new oversized pack pair piece pocket
reversible set short size sleeve sleeveless slim small soft straight strap studio style tailored the
turtleneck two ultra unisex v-neck wide with women men wrap zip and for in of on original limited light heavy
power system turret drive shield engine core
"""


def corpus(num_lines: int = 24_000) -> list[str]:
    """Return answers about made-up products to train on: a third of random words, the rest as brands write them.

    Args:
        num_lines: Answers to write; a question is repeated beside them.
    """
    # Fixed: the weights that ship belong to exactly these pieces.
    rng = random.Random(0)
    colours, materials, patterns, products, makes = (
        text.split() for text in (COLOURS, MATERIALS, PATTERNS, PRODUCTS, MAKES)
    )
    lines = []
    for line in range(num_lines):
        if line % 3:
            # From 1000 on, as in the pre-training: brands below are kept for measuring.
            brand = make_brand(1000 + line % 600)
            design = brand.design(brand.choose_piece(rng), *brand.choose_palette(rng)[:2])
            title, category, price = design.title, rng.choice(design.categories), format_price(design.price)
        else:
            kinds = (makes, colours, patterns, materials, products)
            words = rng.sample([rng.choice(kind) for kind in kinds], rng.randint(2, 5))
            title, category = " ".join(word.title() for word in words), rng.choice(products)
            category, price = rng.choice([category.upper(), category.title(), category]), f"{rng.randint(1, 99999)}.0"
        lines.append(f"Product: {title}, Category: {category}, Full Price: {price}")
    return [*lines, *["What is shown in this image?"] * 200]


def tokenizer() -> PreTrainedTokenizerFast:
    """Train the pieces and append Phi-3's special tokens."""
    pieces = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    pieces.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    # Only while training: no piece spans two words, and digits stand alone, as in Phi-3's pieces.
    pieces.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split("▁", "merged_with_next"), pre_tokenizers.Digits(individual_digits=True)]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=NUM_PIECES,
        special_tokens=["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))],
        initial_alphabet=[chr(code) for code in range(32, 127)],
        show_progress=False,
    )
    pieces.train_from_iterator(corpus(), trainer)
    pieces = _with_plain_bytes(pieces)
    pieces.pre_tokenizer = None
    pieces.add_special_tokens([AddedToken(t, rstrip=t in RSTRIP, normalized=False) for t in SPECIAL_TOKENS])
    pieces.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    pieces.post_processor = processors.TemplateProcessing("<s> $A", "<s> $A <s> $B", special_tokens=[("<s>", 1)])
    return PreTrainedTokenizerFast(
        tokenizer_object=pieces,
        bos_token="<s>",
        eos_token="<|endoftext|>",
        pad_token="<|endoftext|>",
        unk_token="<unk>",
        clean_up_tokenization_spaces=False,
        model_max_length=2048,
        chat_template=CHAT_TEMPLATE,
    )


def _with_plain_bytes(trained: Tokenizer) -> Tokenizer:
    """Make ordinary pieces of the byte pieces. The trainer takes them as special tokens only, which decoding skips."""
    state = json.loads(trained.to_str())
    state["added_tokens"] = [token for token in state["added_tokens"] if not token["content"].startswith("<0x")]
    return Tokenizer.from_str(json.dumps(state))


def configuration(words: PreTrainedTokenizerFast) -> Phi3VConfig:
    """Return the configuration: 19.5 million weights, crops of 128 x 128 pixels, a decoder of four layers.

    Args:
        words: The tokenizer.
    """
    ids = words.convert_tokens_to_ids
    tower = {
        "hidden_size": 384,
        "intermediate_size": 1536,
        "num_hidden_layers": 8,
        "num_attention_heads": 6,
        "image_size": 128,
        "patch_size": 16,
        "projection_dim": 384,
    }
    config = Phi3VConfig(
        vocab_size=len(words),
        hidden_size=256,
        intermediate_size=768,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=2048,
        original_max_position_embeddings=2048,
        # Factors of 1 for half of a head's 64 numbers: positions are rotated as if there were no scaling.
        rope_scaling={"type": "su", "short_factor": [1.0] * 32, "long_factor": [1.0] * 32},
        sliding_window=2048,
        img_processor={
            "name": "clip_vision_model",
            "image_dim_out": tower["hidden_size"],
            # Patches of 128 / 16 a side, merged two by two: 4 x 4 tokens.
            "num_img_tokens": 16,
            "layer_idx": -1,  # the features are the last layer's: none is stored that nothing reads
            "clip_config": tower,
        },
        bos_token_id=1,
        eos_token_id=[ids("<|endoftext|>"), ids("<|assistant|>"), ids("<|end|>")],
        pad_token_id=ids("<|endoftext|>"),
        architectures=["Phi3VForCausalLM"],
    )
    config.dtype = "bfloat16"
    return config


def main(folder: str) -> None:
    """Write the model's folder, without weights.

    Args:
        folder: Where to write.
    """
    words = tokenizer()
    config = configuration(words)
    config.save_pretrained(folder)
    GenerationConfig(
        bos_token_id=config.bos_token_id, eos_token_id=config.eos_token_id, pad_token_id=config.pad_token_id
    ).save_pretrained(folder)
    image_processor = Phi3VImageProcessor(num_crops=4, crop_size=config.crop_size, num_img_tokens=config.num_img_tokens)
    Phi3VProcessor(image_processor, words).save_pretrained(folder)


if __name__ == "__main__":
    main(sys.argv[1])
