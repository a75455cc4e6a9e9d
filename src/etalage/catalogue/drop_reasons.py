"""What the reasons for dropping a row mean to the people who keep the table, and what to do about each."""

from typing import NamedTuple

__all__ = ["NOTHING_IS_LOST", "DropReason", "explain_drop"]

NOTHING_IS_LOST = "nothing is lost"
"""How the ways out begin for rows that had nothing to add."""


class DropReason(NamedTuple):
    """A reason in plain words."""

    sentence: str
    """What is wrong with the row."""
    way_out: str
    """What to change in the table, or which option to give."""


_SEE_IMAGES = "name another column with --column image=COLUMN, or the folder with --image-folder"
_REPAIR = "save the picture again as PNG or JPEG"
_RETRY = "try again later with --retry-failed"
_REQUEST = "open the link in a browser; correct it, then prepare again with --retry-failed"

_REASONS = {
    # Rows
    "row_repeated": ("The row is the same as an earlier one.", f"{NOTHING_IS_LOST}; remove the copy if you like"),
    "row_too_long": ("The row has more cells than the table has columns.", "put quotes around cells with separators"),
    "row_broken": ("The row cannot be divided into cells.", "correct the row, or export the table again"),
    "row_broken_quote": ("A quotation mark in the row has no partner.", "close it, or double it inside a text"),
    "row_not_json": ("The line is not JSON.", "correct the line, or export the table again"),
    "cell_not_text": ("A cell holds a list where a text or a number is needed.", "name another column with --column"),
    "text_not_unicode": ("A text holds half of a character.", "export the table again as UTF-8"),
    "row_only_picture": (
        "The row only adds a picture to the product above it.",
        f"{NOTHING_IS_LOST}; --all-images shows the product with each of its pictures",
    ),
    "row_no_product": ("The row is a rule or an option of a product.", NOTHING_IS_LOST),
    "row_joins_variants": (
        "The row only joins the variants of a product, and has no price.",
        "if the variants are in the table, too, nothing is lost; else give the row a price",
    ),
    # Texts
    "answer_ambiguous": (
        "The answer that would be taught cannot be divided into its fields again without doubt.",
        "write words between the fields, as in --answer 'Product: {title}, Category: {category}, Price: {price}'",
    ),
    "question_too_long": ("The question is too long.", "shorten it"),
    "conversation_unsupported": (
        "The conversation has more than one picture, question or answer.",
        "divide it into conversations of one question and one answer",
    ),
    # Pictures
    "image_missing": ("The row names no picture.", _SEE_IMAGES),
    "image_not_found": ("There is no picture file of this name.", _SEE_IMAGES),
    "image_ambiguous": (
        "Several picture files may be meant by this name.",
        "write the file's exact name into the table, or remove the other files",
    ),
    "image_outside_folder": (
        "The picture's path leads out of the folder of pictures.",
        "give the folder that holds all pictures with --image-folder",
    ),
    "image_path_invalid": ("The cell holds neither a path nor a link to a picture.", _SEE_IMAGES),
    "image_scheme_unsupported": (
        "The picture's address is of a kind that is not fetched.",
        "use https links, or copy the pictures to a folder and write their paths",
    ),
    "image_data_uri_invalid": (
        "The picture inside the cell is damaged or cut off.",
        "write the path of a file or a link; Excel cuts texts after 32,767 characters",
    ),
    "image_too_many": ("The cell names more pictures than a product can have.", _SEE_IMAGES),
    "image_empty": ("The picture file is empty.", "put the picture in its place"),
    "image_undecodable": ("The picture file is damaged or of a kind that cannot be read.", _REPAIR),
    "image_format_unsupported": ("The picture is of a kind that is not read.", "export it as PNG or JPEG"),
    "image_kills_decoder": ("The picture file is damaged so badly that reading it fails.", _REPAIR),
    "image_too_much_memory": ("The picture needs more memory than there is.", "make the picture smaller"),
    "image_too_extreme": ("The picture is more than 16 times as long as wide.", "crop the picture"),
    "image_too_many_pixels": ("The picture has too many pixels.", "make it smaller, or raise --max-image-px"),
    "image_too_many_bytes": ("The picture file is too large.", "make it smaller, or raise --max-image-bytes"),
    "image_changed": ("The picture changed while it was read.", "prepare again while nothing writes there"),
    "image_is_placeholder": (
        "Many different products show this picture.",
        "give the product a picture of its own, or keep such rows with --placeholders keep",
    ),
    # Links
    "fetch_url_invalid": ("The link to the picture is not a valid web address.", "correct the link"),
    "fetch_address_refused": (
        "The link leads to a machine in a private network.",
        "if you trust these links, pass --allow-private",
    ),
    "fetch_dns": ("The link's host name does not exist.", _REQUEST),
    "fetch_connection": ("The picture's host cannot be reached.", _RETRY),
    "fetch_host_down": ("The picture's host did not answer at all.", _RETRY),
    "fetch_timeout": ("The picture's host was too slow.", _RETRY),
    "fetch_truncated": ("The picture arrived only in part.", _RETRY),
    "fetch_http_error": ("The picture's host answered with an error.", _REQUEST),
    "fetch_too_many_redirects": ("The link leads from one address to the next without end.", _REQUEST),
    "fetch_not_found": ("There is no picture behind the link any more.", _REQUEST),
    "fetch_forbidden": (
        "The picture's host does not let us have the picture.",
        "allow downloads in the shop system, or copy the pictures to a folder and write their paths",
    ),
    "fetch_not_a_picture": ("Behind the link is a web page, not a picture.", "use the address of the picture itself"),
    "fetch_too_many_bytes": ("The picture behind the link is too large.", "raise --max-image-bytes"),
}

# The endings and beginnings of reasons that name a field.
_BY_FIELD = (
    ("missing_", "", "The {field} is empty.", "fill it in, or name another column: --column {name}=COLUMN"),
    ("", "_missing", "The {field} is empty.", "fill it in, or name another column: --column {name}=COLUMN"),
    ("", "_too_long", "The {field} is too long.", "shorten it, or raise --max-text-chars"),
    ("", "_zero", "The {field} is zero.", "give the true price"),
    ("", "_negative", "The {field} is below zero.", "give the true price"),
    ("", "_absurd", "The {field} is too high to be true.", "correct it, or raise --max-price"),
    ("", "_is_range", "The {field} is a range.", "choose an end with --price-range low or high"),
    ("", "_per_quantity", "The {field} is that of a weight, a length or a time.", "give the price of the product"),
    ("", "_other_currency", "The {field} is not in --currency.", "convert it with --rates FILE (a line: USD,0.92)"),
    ("", "_unparsable", "The {field} cannot be read as one amount.", "write a number; see the details of the row"),
)


def explain_drop(reason: str) -> DropReason:
    """Return what a reason means.

    >>> explain_drop("missing_title").sentence
    'The title is empty.'

    Args:
        reason: The reason as it is counted, such as "image_not_found".
    """
    if (known := _REASONS.get(reason)) is not None:
        return DropReason(*known)
    for prefix, suffix, sentence, way_out in _BY_FIELD:
        if reason.startswith(prefix) and reason.endswith(suffix):
            name = reason.removeprefix(prefix).removesuffix(suffix)
            return DropReason(sentence.format(field=name.replace("_", " ")), way_out.format(name=name))
    return DropReason(f"{reason.replace('_', ' ').capitalize()}.", "see the details of the row")
