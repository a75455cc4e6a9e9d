"""Text and pictures to model inputs, token for token as Phi-3-vision was trained."""

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self, cast

import torch
from transformers import BatchFeature, PreTrainedTokenizerFast
from transformers.processing_utils import ProcessorMixin
from transformers.tokenization_utils_base import PreTrainedTokenizerBase
from transformers.utils import cached_file

from etalage.phi3v.image_processing import Phi3VImageProcessor, Picture, list_pictures

__all__ = ["Phi3VProcessor", "load_tokenizer"]

IMAGE_TAG = re.compile(r"<\|image_(\d+)\|>")

# What is read from tokenizer_config.json; tokenizer.json is the better source for all else.
TOKENIZER_KEYS = (
    "bos_token",
    "eos_token",
    "unk_token",
    "pad_token",
    "padding_side",
    "truncation_side",
    "model_max_length",
    "chat_template",
    "clean_up_tokenization_spaces",
)


def load_tokenizer(folder: str | os.PathLike, **kwargs: Any) -> PreTrainedTokenizerFast:
    """Load a checkpoint's tokenizer.json as it is.

    AutoTokenizer of transformers 5 builds a Llama tokenizer anew from its pieces, which gives other ids: a newline
    after a special token becomes [13] where the model was trained on [29871, 13].

    Args:
        folder: A checkpoint's folder or hub id.
        kwargs: Override tokenizer_config.json, for instance padding_side; or choose the hub's revision.

    Raises:
        OSError: There is no tokenizer.json.
    """
    hub = {key: kwargs.pop(key) for key in ("revision", "cache_dir", "token", "local_files_only") if key in kwargs}
    settings = {}
    if config_file := cached_file(folder, "tokenizer_config.json", _raise_exceptions_for_missing_entries=False, **hub):
        config = json.loads(Path(config_file).read_text(encoding="utf-8"))
        settings = {key: config[key] for key in TOKENIZER_KEYS if config.get(key) is not None}
        # Some versions write tokens as {"content": ...}.
        settings = {key: value["content"] if isinstance(value, Mapping) else value for key, value in settings.items()}
    # Newer versions of transformers write the template to a file of its own.
    if template := cached_file(folder, "chat_template.jinja", _raise_exceptions_for_missing_entries=False, **hub):
        settings["chat_template"] = Path(template).read_text(encoding="utf-8")
    return PreTrainedTokenizerFast(tokenizer_file=cached_file(folder, "tokenizer.json", **hub), **settings | kwargs)


class Phi3VProcessor(ProcessorMixin):
    """Tokenizer and image processor in one call.

    `<|image_n|>` in a text stands for the nth of its pictures and becomes id -n, once per image token. The text
    between pictures is tokenised piece by piece, each piece with the tokenizer's own special tokens, so every piece
    starts with a BOS: that is how the checkpoints were trained.

    Args:
        image_processor: Cuts pictures.
        tokenizer: Made by load_tokenizer.
        chat_template: The tokenizer's by default.

    Source: processing_phi3_v.py of microsoft/Phi-3-vision-128k-instruct, rewritten from its description.
    """

    def __init__(
        self, image_processor: Phi3VImageProcessor, tokenizer: PreTrainedTokenizerBase, chat_template: str | None = None
    ) -> None:
        super().__init__(image_processor, tokenizer, chat_template=chat_template or tokenizer.chat_template)

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | os.PathLike, **kwargs: Any) -> Self:
        """Load a checkpoint's own files.

        Args:
            pretrained_model_name_or_path: A checkpoint's folder or hub id.
            kwargs: The image processor's settings (num_crops ...); others go to load_tokenizer (padding_side ...).

        Raises:
            OSError: tokenizer.json or preprocessor_config.json is missing.
        """
        # AutoProcessor and scripts for the hub's own code pass these; there is no remote code here, and one tokenizer.
        for ignored in ("trust_remote_code", "_from_auto", "use_fast"):
            kwargs.pop(ignored, None)
        images = {key: kwargs.pop(key) for key in Phi3VImageProcessor.valid_kwargs.__annotations__ if key in kwargs}
        hub = {key: kwargs[key] for key in ("revision", "cache_dir", "token", "local_files_only") if key in kwargs}
        return cls(
            Phi3VImageProcessor.from_pretrained(pretrained_model_name_or_path, **images, **hub),
            load_tokenizer(pretrained_model_name_or_path, **kwargs),
        )

    def save_pretrained(self, save_directory: str | os.PathLike, **kwargs: Any) -> list[str]:
        """Write the files that from_pretrained and the hub's own code read.

        Args:
            save_directory: The folder to write to.
            kwargs: Passed to transformers.

        Returns:
            Paths of the files.
        """
        files = list(self.image_processor.save_pretrained(save_directory, **kwargs))
        return files + list(self.tokenizer.save_pretrained(save_directory, **kwargs))

    def __call__(
        self,
        text: str | Sequence[str] | None = None,
        images: Picture | Sequence[Picture] | Sequence[Sequence[Picture] | None] | None = None,
        padding: bool | str = False,
        truncation: bool = False,
        max_length: int | None = None,
        *,
        padding_side: str | None = None,
        pad_to_multiple_of: int | None = None,
        add_special_tokens: bool = True,
        return_tensors: str | None = None,
    ) -> BatchFeature:
        """Turn prompts and their pictures into model inputs.

        Args:
            text: One prompt, or one per row.
            images: The pictures of the one prompt; for several prompts one (possibly empty) sequence per row.
                PIL images or (height, width, channels) uint8 arrays.
            padding: True or "longest", "max_length", or False.
            truncation: Cut rows to max_length (default: the tokenizer's model_max_length) at the tokenizer's
                truncation_side. Text only: an image is never cut.
            max_length: Tokens, for padding="max_length" and truncation.
            padding_side: The tokenizer's by default.
            pad_to_multiple_of: Pad to a multiple of it.
            add_special_tokens: Whether each piece of text starts with a BOS.
            return_tensors: "pt" gives (B, T) tensors; None gives lists of ids, one list alone if text is a str.

        Returns:
            input_ids, attention_mask: (B, T) int64. With pictures also pixel_values: (N, C, 3, S, S) float32 and
            image_sizes: (N, 2) int64; images of row 0, then of row 1 ...

        Raises:
            ValueError: Tags and pictures of a row do not agree, a row would be cut inside an image, rows differ in
                length and padding is False, or the image processor refuses a picture. Names the row.
        """
        if text is None:
            raise ValueError("no text given; pictures need a prompt with one <|image_n|> each")
        texts = [text] if isinstance(text, str) else list(text)
        pictures = self._images_by_row(images, len(texts))
        for row, (prompt, own) in enumerate(zip(texts, pictures, strict=True)):
            _check_tags(row, prompt, len(own))
        flat = [picture for own in pictures for picture in own]
        features = self.image_processor(flat) if flat else {}
        lengths = iter(features.get("num_img_tokens", []))
        rows = [
            self._row_ids(prompt, [next(lengths) for _ in own], add_special_tokens)
            for prompt, own in zip(texts, pictures, strict=True)
        ]
        if truncation:
            limit = self.tokenizer.model_max_length if max_length is None else max_length
            rows = [self._truncate(row, ids, limit) for row, ids in enumerate(rows)]
        side = padding_side or self.tokenizer.padding_side
        data: dict[str, Any] = self._pad(rows, padding, max_length, side, pad_to_multiple_of)
        if isinstance(text, str) and return_tensors is None:
            data = {key: value[0] for key, value in data.items()}
        elif return_tensors is not None and len({len(ids) for ids in data["input_ids"]}) > 1:
            raise ValueError(f"rows have {[len(ids) for ids in rows]} tokens; pass padding=True to stack them")
        data |= {key: features[key] for key in ("pixel_values", "image_sizes") if flat}
        return BatchFeature(data, tensor_type=return_tensors)

    def _images_by_row(self, images: Any, num_rows: int) -> list[list[Picture]]:
        if images is None:
            return [[] for _ in range(num_rows)]
        images = list_pictures(images)
        # What is no picture goes on to the image processor, which says what it expects.
        if num_rows == 1 and not any(image is None or isinstance(image, list | tuple) for image in images):
            return [images]
        if any(isinstance(row, Picture) for row in images) or len(images) != num_rows:
            raise ValueError(
                f"{num_rows} texts and images of length {len(images)}: pass one sequence of pictures per text, "
                "[] for a text without any"
            )
        return [[] if row is None else list(row) for row in images]

    def ids(self, prompt: str, num_img_tokens: Sequence[int]) -> list[int]:
        """Encode a prompt, given how many tokens each of its pictures has.

        Args:
            prompt: Text with one `<|image_n|>` for each picture.
            num_img_tokens: Tokens of each picture.

        Raises:
            ValueError: Tags and pictures do not agree.
        """
        _check_tags(0, prompt, len(num_img_tokens))
        return self._row_ids(prompt, num_img_tokens, add_special_tokens=True)

    def _row_ids(self, prompt: str, lengths: Sequence[int], add_special_tokens: bool) -> list[int]:
        pieces = IMAGE_TAG.split(prompt)  # text, number, text, number, ... text
        # Each piece on its own, BOS included, even an empty one: the checkpoints were trained on such ids.
        encoded = self.tokenizer(pieces[::2], add_special_tokens=add_special_tokens)["input_ids"]
        ids = list(encoded[0])
        for number, piece in zip(map(int, pieces[1::2]), encoded[1:], strict=True):
            ids += [-number] * lengths[number - 1] + piece
        return ids

    def _truncate(self, row: int, ids: list[int], limit: int) -> list[int]:
        surplus = len(ids) - limit
        if surplus <= 0:
            return ids
        left = self.tokenizer.truncation_side == "left"
        cut, kept = (ids[:surplus], ids[surplus:]) if left else (ids[limit:], ids[:limit])
        if images := [-id for id in cut if id < 0]:
            raise ValueError(
                f"row {row}: {len(ids)} tokens do not fit max_length {limit} without cutting image {images[0]} "
                f"({ids.count(-images[0])} tokens); raise max_length, lower num_crops or shorten the text"
            )
        return kept

    def _pad(
        self, rows: list[list[int]], padding: bool | str, max_length: int | None, side: str, multiple: int | None
    ) -> dict[str, list[list[int]]]:
        if padding not in (True, False, "longest", "max_length", "do_not_pad"):
            raise ValueError(f"padding is {padding!r}; give True, 'longest', 'max_length' or False")
        width = 0
        if padding == "max_length":
            width = self.tokenizer.model_max_length if max_length is None else max_length
        elif padding in (True, "longest"):
            width = max(map(len, rows))
        if multiple and width:
            width = -(-width // multiple) * multiple
        ids, masks = [], []
        for row in rows:
            pad, mask = [self.tokenizer.pad_token_id] * (width - len(row)), [1] * len(row)
            zeros = [0] * len(pad)
            ids.append(pad + row if side == "left" else row + pad)
            masks.append(zeros + mask if side == "left" else mask + zeros)
        return {"input_ids": ids, "attention_mask": masks}

    def apply_chat_template(
        self,
        conversation: Sequence[Mapping[str, Any]] | Sequence[Sequence[Mapping[str, Any]]],
        chat_template: str | None = None,
        *,
        add_generation_prompt: bool = False,
        tokenize: bool = False,
        images: Any = None,
        processor_kwargs: Mapping[str, Any] | None = None,
        return_assistant_tokens_mask: bool = False,
        **kwargs: Any,
    ) -> str | list[str] | BatchFeature:
        """Write messages as a prompt.

        Args:
            conversation: Messages with role and content, or a list of such lists. Content is text with its own
                `<|image_n|>` tags, or a list of {"type": "image"} and {"type": "text", "text": ...} parts, whose
                images are numbered through the conversation, each on a line of its own. A picture may come with its
                part, under "image".
            chat_template: The processor's by default.
            add_generation_prompt: Whether the prompt ends where the assistant's answer begins.
            tokenize: Return model inputs instead of text.
            images: With tokenize: the pictures, as for __call__, unless they come with the parts.
            processor_kwargs: With tokenize: arguments of __call__; they may also be among kwargs.
            return_assistant_tokens_mask: Not supported.
            kwargs: Without tokenize: arguments of the tokenizer's apply_chat_template.

        Returns:
            One text per conversation, or model inputs.

        Raises:
            ValueError: A part has another type, or return_assistant_tokens_mask is set.
        """
        if return_assistant_tokens_mask:
            raise ValueError("the template does not mark assistant tokens; pass prompts and completions separately")
        batched = bool(conversation) and not isinstance(conversation[0], Mapping)
        flattened = [_flatten(messages) for messages in cast(Any, conversation if batched else [conversation])]
        texts = [
            self.tokenizer.apply_chat_template(
                messages,
                chat_template=chat_template or self.chat_template,
                add_generation_prompt=add_generation_prompt,
                tokenize=False,
                **({} if tokenize else kwargs),
            )
            for messages, _ in flattened
        ]
        if not tokenize:
            return texts if batched else texts[0]
        kwargs.pop("return_dict", None)  # inputs are always a mapping
        if images is None:
            images = [own for _, own in flattened] if batched else flattened[0][1]
        return self(texts if batched else texts[0], images, **kwargs, **(processor_kwargs or {}))

    def decode(self, token_ids: Any, **kwargs: Any) -> str:
        """Decode ids; image positions, which generate() returns with the prompt, are left out.

        Args:
            token_ids: One id or a sequence of ids.
            kwargs: Arguments of the tokenizer's decode.
        """
        ids = token_ids.tolist() if isinstance(token_ids, torch.Tensor) else token_ids
        ids = [int(id) for id in ([ids] if isinstance(ids, int) else ids) if id >= 0]
        return self.tokenizer.decode(ids, **kwargs)

    def batch_decode(self, sequences: Any, **kwargs: Any) -> list[str]:
        """Decode each row.

        Args:
            sequences: Rows of ids.
            kwargs: Arguments of the tokenizer's decode.
        """
        return [self.decode(sequence, **kwargs) for sequence in sequences]


def _check_tags(row: int, prompt: str, num_images: int) -> None:
    numbers = [int(number) for number in IMAGE_TAG.findall(prompt)]
    if 0 in numbers:
        raise ValueError(f"row {row}: tag <|image_0|> in the text; images are numbered from 1")
    if len(set(numbers)) < len(numbers):
        raise ValueError(f"row {row}: tags of images {numbers}, one of them repeated; name every image once")
    if sorted(numbers) != list(range(1, len(numbers) + 1)):
        raise ValueError(f"row {row}: tags of images {numbers}, expected 1 to {len(numbers)} without gaps")
    if len(numbers) != num_images:
        raise ValueError(
            f"row {row}: the text names {len(numbers)} images and {num_images} were passed; write one <|image_n|> per "
            "picture, counted from 1 in every row"
        )


def _flatten(messages: Sequence[Mapping[str, Any]]) -> tuple[list[dict[str, Any]], list[Picture]]:
    """Return messages with plain text as content, and the pictures that came with their parts."""
    flat, pictures, number = [], [], 0
    for message in messages:
        content = message["content"]
        if not isinstance(content, str):
            words = []
            for part in content:
                if part.get("type") == "image":
                    number += 1
                    words.append(f"<|image_{number}|>\n")
                    pictures += [part["image"]] if part.get("image") is not None else []
                elif part.get("type") == "text":
                    words.append(part["text"])
                else:
                    raise ValueError(f"message part of type {part.get('type')!r}; expected 'text' or 'image'")
            content = "".join(words)
        flat.append({**message, "content": content})
    return flat, pictures
