"""What the variants of a product share of their titles: all but the colours and sizes at the end."""

import re
import unicodedata

__all__ = ["COLOURS", "title_family", "title_name"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.casefold().split())


COLOURS = _words("""
amber anthracite apricot aqua beige black blue blush bordeaux brass bronze brown burgundy camel caramel charcoal
chocolate cobalt cognac copper coral cream crimson ecru emerald fuchsia gold golden green grey gray hazel indigo
ivory jade khaki lavender lilac lime magenta maroon mauve mint multicolor multicolour mustard natural navy nude
ochre olive orange peach petrol pink plum purple red ruby rust sage salmon sand scarlet silver sky slate tan
taupe teal terracotta turquoise vanilla violet white wine yellow dark light bright pale deep
noir noire blanc blanche rouge bleu bleue vert verte jaune gris grise marron rose violette argenté doré clair foncé
nero nera bianco bianca rosso rossa blu verde giallo gialla grigio grigia marrone viola azzurro argento oro
schwarz weiss weiß rot blau grün gelb grau braun rosa lila türkis silber silbern golden dunkel hell
negro negra blanco blanca rojo roja azul amarillo amarilla gris marrón rosa morado naranja plateado dorado
preto preta branco branca vermelho vermelha amarelo cinza castanho roxo
zwart wit rood blauw groen geel grijs bruin roze paars zilver goud svart vit röd blå grön grå
czarny czarna biały biała czerwony czerwona niebieski niebieska zielony zielona żółty szary szara brązowy
черный черная чёрный чёрная белый белая красный красная синий синяя зеленый зелёный желтый жёлтый серый серая коричневый
""")
"""Words for colours that end a title and stand between a product and its variants, in several languages."""

_SIZES = _words("""
xxxs xxs xs s m l xl xxl xxxl 2xs 3xs 2xl 3xl 4xl 5xl 6xl small medium large x-small x-large xx-large
onesize os uni klein mittel groß petit moyen grand pequeño mediano piccolo medio grande
""")
_SIZES_OF_TWO_WORDS = (
    *(("one", "size"), ("free", "size"), ("extra", "small"), ("extra", "large"), ("taille", "unique")),
    *(("taglia", "unica"), ("talla", "única"), ("talla", "unica"), ("tamanho", "único"), ("jeden", "rozmiar")),
)
_UNITS = _words("""
ml cl dl l ltr liter litre liters litres g gr kg mg lb lbs oz mm cm m in inch inches zoll ft pouces
month months year years monat monate jahre mois ans meses años mesi anni мл л г кг мм см м
""")
_SIZE_LABELS = _words("eu us uk fr it de jp size sz gr groesse größe taille talla taglia tamanho maat")
_COLOUR_LABELS = _words("in en colour color farbe couleur colore colori kleur цвет")

# Marks on letters are no letters to `re`: without them, "เสื้อ" (shirt) and "เสือ" (tiger) would be equal.
_MARKS = "".join(char for char in map(chr, range(0x300, 0x20000)) if unicodedata.category(char).startswith("M"))
_LETTERS = rf"[^\W_](?:[^\W_]|[{_MARKS}])*"
# A sign may be what tells two products apart, as in "S9" and "S9+", "C" and "C#", "-2.5" and "+2.5".
_WORD = re.compile(rf"(?:(?<!\S)[+−-](?=\d))?{_LETTERS}(?:[.,'’-]{_LETTERS})*(?:[+#]+(?![^\W_]))?")
_NUMBER = re.compile(r"\d+(?:[.,/-]\d+)?")
_NUMBER_AND_UNIT = re.compile(rf"\d+(?:[.,]\d+)?(?:x\d+(?:[.,]\d+)?)*(?:{'|'.join(sorted(_UNITS, reverse=True))})")
_TIMES = ("x", "×")


def title_name(title: str) -> str:
    """Return a title's words in lower case, by which titles that differ in punctuation and spaces are equal.

    Args:
        title: The title of a product.

    Returns:
        The words; the title itself in lower case if it has none.
    """
    title = title.casefold()
    return " ".join(_WORD.findall(title)) or title


def title_family(title: str, *, sizes: bool = True) -> str:
    """Return a title without the colours and sizes at its end, which the variants of a product share.

    "Check Wool Scarf in Navy" and "Check Wool Scarf in Red" are of one family. "Navy Check Scarf" and "Red Check Scarf"
    are not: there the colour is part of what the product is, and only near pictures make variants of them. A number is
    a size only with a unit or a word for sizes, as in "500 ml" or "EU 42": "Ridge Walk 1000" is a model.

    >>> title_family("Check Wool Scarf in Navy")
    'check wool scarf'
    >>> title_family("Ridge Walk 1000")
    'ridge walk 1000'

    Args:
        title: The title of a product.
        sizes: Remove sizes too; else only colours.

    Returns:
        The family in lower case; the whole title if fewer than two words would be left.
    """
    title = title.casefold()
    words = _WORD.findall(title)
    while count := _num_variant_words(words, sizes) or int(words[-1:] == ["in"]):
        del words[-count:]
    return " ".join(words) if len(words) > 1 else title


def _num_variant_words(words: list[str], sizes: bool) -> int:
    """Return how many words at the end are one colour or, if asked for, one size; 0 if the last one is neither."""
    if not words:
        return 0
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if last in COLOURS:
        return 2 if before in _COLOUR_LABELS else 1
    if not sizes:
        return 0
    if _NUMBER.fullmatch(before):
        # A letter beside a bare number may be a model, as in "7 S", unless it is a unit.
        return _num_measures(words[:-1]) + 1 if last in _UNITS or last in _SIZE_LABELS else 0
    if (before, last) in _SIZES_OF_TWO_WORDS:
        return 2
    if last in _SIZES or _NUMBER_AND_UNIT.fullmatch(last):
        return 2 if before in _SIZE_LABELS else 1
    return 2 if _NUMBER.fullmatch(last) and before in _SIZE_LABELS else 0


def _num_measures(words: list[str]) -> int:
    """Return how many words at the end are numbers with a sign for "times" between, as in 10 x 20 x 5."""
    count = 1
    while len(words) >= count + 2 and words[-count - 1] in _TIMES and _NUMBER.fullmatch(words[-count - 2]):
        count += 2
    return count
