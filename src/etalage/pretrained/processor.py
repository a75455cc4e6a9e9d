"""preprocessor_config.json and the tokenizer's files: only what Phi-3-vision's own processor consists of."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from etalage.errors import EtalageError
from etalage.folders import file_in, optional_file_in
from etalage.json_files import read_json_object, read_text
from etalage.phi3v import Phi3VConfig, Phi3VImageProcessor, Phi3VProcessor
from etalage.phi3v.processing import load_tokenizer
from etalage.schema import (
    BOOLEAN,
    NULL,
    TEXT,
    Check,
    array,
    check,
    constant,
    either,
    integer,
    mapping,
    number,
    record,
    tagged,
    text,
)

__all__ = ["read_processor"]

_MAX_BYTES, _MAX_TOKENIZER_BYTES = 1 << 20, 16 << 20
_MAX_CROPS = 256
SPECIAL_TOKENS = ("<|user|>", "<|assistant|>", "<|end|>")
"""The tokens that prompts and answers are written with."""

_CHANNELS = array(number(-1e3, 1e3), 3, 3)
_IMAGES_REQUIRED: dict[str, Check] = {
    **{"num_crops": integer(1, _MAX_CROPS), "image_mean": _CHANNELS},
    "image_std": array(number(above=0, most=1e3), 3, 3),
}
_IMAGES_OPTIONAL: dict[str, Check] = {
    **{"do_convert_rgb": BOOLEAN, "background": either(text(50), NULL)},
    **{"crop_size": integer(1, 2**16), "num_img_tokens": integer(1, 2**16)},
}

_SIDE = constant("left", "right")
_TOKEN = either(text(100), record({"content": text(100)}), NULL)
_TOKENIZER_CONFIG: dict[str, Check] = {
    **dict.fromkeys(("bos_token", "eos_token", "unk_token", "pad_token"), _TOKEN),
    **{"padding_side": _SIDE, "truncation_side": _SIDE, "model_max_length": number(1)},
    **{"clean_up_tokenization_spaces": either(BOOLEAN, NULL), "chat_template": either(TEXT, NULL)},
}

# Strings instead of regular expressions, one of which can take for ever, and short ones, which cannot fill the memory.
_SHORT, _SMALL, _TOKEN_ID = text(16), integer(0, 16), integer(0, 2**24)


def _component(name: str, **fields: Check) -> Check:
    return record({"type": constant(name), **fields}, closed=True)


def _components(list_name: str, **kinds: Mapping[str, Check]) -> Check:
    """Accept one component of these types, a short sequence of them, or none."""
    known = {name: _component(name, **fields) for name, fields in kinds.items()}
    sequence = _component("Sequence", **{list_name: array(tagged("type", known), most=8)})
    return either(NULL, tagged("type", {**known, "Sequence": sequence}))


_REPLACE = {"pattern": record({"String": _SHORT}, closed=True), "content": _SHORT}
_TEMPLATE = array(
    record(
        {},
        {
            "SpecialToken": record({"id": text(100), "type_id": _SMALL}, closed=True),
            "Sequence": record({"id": constant("A", "B"), "type_id": _SMALL}, closed=True),
        },
        closed=True,
    ),
    most=8,
)
_SPECIAL = record({"id": text(100), "ids": array(_TOKEN_ID, most=8), "tokens": array(text(100), most=8)}, closed=True)
_TOKENIZER = record(
    {
        "model": record(
            {
                **{
                    "type": constant("BPE"),
                    "vocab": mapping(_TOKEN_ID),
                    "dropout": NULL,
                    "unk_token": either(TEXT, NULL),
                },
                **{"merges": array(either(TEXT, array(TEXT, 2, 2))), "byte_fallback": BOOLEAN, "fuse_unk": BOOLEAN},
                **dict.fromkeys(("continuing_subword_prefix", "end_of_word_suffix"), constant(None, "")),
            },
            {"ignore_merges": BOOLEAN},
            closed=True,
        ),
        "added_tokens": array(
            record(
                {
                    **{"id": _TOKEN_ID, "content": text(100)},
                    **dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized", "special"), BOOLEAN),
                },
                closed=True,
            )
        ),
        "normalizer": _components("normalizers", Prepend={"prepend": _SHORT}, Replace=_REPLACE),
        "pre_tokenizer": NULL,
        "post_processor": either(
            NULL,
            _component("TemplateProcessing", single=_TEMPLATE, pair=_TEMPLATE, special_tokens=mapping(_SPECIAL)),
        ),
        "decoder": _components(
            "decoders",
            Replace=_REPLACE,
            ByteFallback={},
            Fuse={},
            Strip={"content": _SHORT, "start": _SMALL, "stop": _SMALL},
        ),
    },
    {"version": constant("1.0"), "truncation": NULL, "padding": NULL},
    closed=True,
)


def read_processor(folder: Path, config: Phi3VConfig, remedy: str) -> Phi3VProcessor:
    """Load the processor of a checkpoint folder.

    Args:
        folder: The folder, also that of adapters.
        config: The model that it is for.
        remedy: What the user can do, as the end of a sentence.

    Raises:
        EtalageError: A value is missing, of another type or out of range, does not fit the model, or the tokenizer
            consists of parts that Phi-3's does not have.
    """
    _check_tokenizer(folder, config.vocab_size, remedy)
    images = _image_processor(folder, config, remedy)
    try:
        processor = Phi3VProcessor(images, load_tokenizer(folder))
    except Exception as error:  # tokenizers raises nothing more specific
        raise EtalageError(f"{folder / 'tokenizer.json'} is damaged ({error}); {remedy}") from error
    _check_ids(processor, folder, config.vocab_size, remedy)
    return processor


def _read(folder: Path, name: str, expected: Check, remedy: str, max_bytes: int = _MAX_BYTES) -> dict[str, Any]:
    path = file_in(folder, name, remedy)
    found = read_json_object(path, remedy=remedy, max_bytes=max_bytes)
    check(found, expected, str(path), remedy)
    return found


def _image_processor(folder: Path, config: Phi3VConfig, remedy: str) -> Phi3VImageProcessor:
    name = "preprocessor_config.json"
    found = _read(folder, name, record(_IMAGES_REQUIRED, _IMAGES_OPTIONAL), remedy)
    settings = {key: value for key, value in found.items() if key in {**_IMAGES_REQUIRED, **_IMAGES_OPTIONAL}}
    try:
        processor = Phi3VImageProcessor(**settings)
    except ValueError as error:
        raise EtalageError(f"{folder / name}: {error}; {remedy}") from error
    for key in ("crop_size", "num_img_tokens"):
        if (stated := getattr(processor, key)) != (needed := getattr(config, key)):
            raise EtalageError(f"{folder / name}: {key} is {stated}, but the model needs {needed}; {remedy}")
    return processor


def _check_tokenizer(folder: Path, vocab_size: int, remedy: str) -> None:
    """Check the files that load_tokenizer reads."""
    if (path := optional_file_in(folder, "chat_template.jinja", remedy)) is not None:
        read_text(path, remedy=remedy, max_bytes=_MAX_BYTES)
    found = _read(folder, "tokenizer.json", _TOKENIZER, remedy, _MAX_TOKENIZER_BYTES)
    vocabulary: dict[str, int] = found["model"]["vocab"]
    tokens = vocabulary | {token["content"]: token["id"] for token in found["added_tokens"]}

    def refuse(message: str) -> None:
        raise EtalageError(f"{folder / 'tokenizer.json'}: {message}; {remedy}")

    if any(vocabulary.get(name, number) != number for name, number in tokens.items()):
        refuse("added_tokens and model.vocab give a token two numbers")
    if len(set(tokens.values())) < len(tokens):
        refuse("two tokens have the same number")
    if max(tokens.values(), default=0) >= vocab_size:
        refuse(f"a token has the number {max(tokens.values())}; the model's vocabulary has {vocab_size}")
    if missing := [name for name in SPECIAL_TOKENS if name not in tokens]:
        refuse(f"the token {missing[0]} is missing, with which prompts and answers are written")
    template = (found["post_processor"] or {"single": [{"Sequence": {"id": "A"}}]})["single"]
    if [part["Sequence"]["id"] for part in template if "Sequence" in part] != ["A"]:
        refuse("post_processor.single does not hold the text once")
    config = _read(folder, "tokenizer_config.json", record({}, _TOKENIZER_CONFIG), remedy)
    for key in ("bos_token", "eos_token", "unk_token", "pad_token"):
        value = config.get(key)
        token = value["content"] if isinstance(value, dict) else value
        if token not in (None, *tokens):
            raise EtalageError(f"{folder / 'tokenizer_config.json'}: {key} {token!r} is no token; {remedy}")


def _check_ids(processor: Phi3VProcessor, folder: Path, vocab_size: int, remedy: str) -> None:
    """Check what became of the files: tokenizers numbers added tokens anew where their numbers leave gaps."""
    path, tokenizer = folder / "tokenizer.json", processor.tokenizer
    if len(tokenizer) > vocab_size:
        raise EtalageError(f"{path} has {len(tokenizer)} tokens; the model's vocabulary has {vocab_size}; {remedy}")
    for id, token in tokenizer.added_tokens_decoder.items():
        if tokenizer.convert_tokens_to_ids(token.content) != id:
            raise EtalageError(f"{path}: the added token {token.content} has another number than {id}; {remedy}")
    for name in SPECIAL_TOKENS:
        if len(tokenizer(name, add_special_tokens=False)["input_ids"]) != 1:
            raise EtalageError(f"{path}: {name} is not one token; {remedy}")
    if tokenizer.pad_token_id is None:
        raise EtalageError(f"{folder / 'tokenizer_config.json'}: pad_token is missing; {remedy}")
