"""The words and signs around prices, in the languages that shops write them in, as patterns without regard to case."""

__all__ = [
    "FORMER_WORDS",
    "FREE_WORDS",
    "HIGHEST_WORDS",
    "LOOKALIKES",
    "LOWEST_SUFFIXES",
    "LOWEST_WORDS",
    "MISSING_WORDS",
    "NOISE_WORDS",
    "NOW_WORDS",
    "PER_PIECE",
    "PER_QUANTITY",
    "RANGE_MARKS",
    "RECOMMENDED_WORDS",
    "SAVED_WORDS",
    "SIGNLESS_RANGE_MARKS",
]

MISSING_WORDS = frozenset(
    (
        *("n/a", "na", "#n/a", "none", "null", "nil", "nan", "tba", "tbd", "unknown", "x", "k.a.", "poa", "p.o.a."),
        *("on request", "price on request", "price upon request", "auf anfrage", "preis auf anfrage", "sur demande"),
        *("prix sur demande", "consultar", "consultar precio", "a consultar", "su richiesta", "prezzo su richiesta"),
        *("op aanvraag", "prijs op aanvraag", "cena na dotaz", "cena na zapytanie", "sob consulta", "по запросу"),
        *(
            "цена по запросу",
            "要問い合わせ",
            "お問い合わせ",
            "面议",
            "價格面議",
            "call for price",
            "sold out",
            "ausverkauft",
        ),
    )
)
"""Texts that say that there is no price."""

FREE_WORDS = frozenset(
    ("free", "gratis", "gratuit", "kostenlos", "umsonst", "gratuito", "for free", "grátis", "бесплатно", "無料", "免费")
)
"""Texts that mean a price of zero."""

LOWEST_WORDS = (
    r"(?:starting |beginning )?from|starting at|starts at|as low as|between|ab|von|zwischen|à partir de|dès|de|entre|"
    r"desde|a partir de|a partire da|da|tra|vanaf|van|tussen|od|från|fra|mellan|mellem|alkaen|от|від|с|από|从|min\.?"
)
"""Pattern of the words before the lowest of several prices."""

LOWEST_SUFFIXES = r"(?:and up|alkaen|から|起|〜|~|\+)"
"""Pattern of what follows the lowest of several prices."""

HIGHEST_WORDS = r"up to|until|bis(?: zu)?|jusqu'à|hasta|até|fino a|tot|do|upp till|op til|до|έως|max\.?"
"""Pattern of the words before the highest of several prices."""

RANGE_MARKS = r"-|~|〜|\.\.+|\b(?:to|bis|à|a|al|ao|até|hasta|until|tot|do|till|til|до|至)\b"
"""Pattern of what stands between the two ends of a range."""

SIGNLESS_RANGE_MARKS = r"\b(?:and|und|et|y|e|en|i|a|och|og|и)\b"
"""Pattern of the words between two ends that make a range only after a word such as `between`."""

FORMER_WORDS = (
    r"statt|anstatt|anstelle von|war|vorher|früher|bisher|alter preis|bisheriger preis|ehem(?:als|\.)|"
    r"was|were|before|instead of|reduced from|marked down from|old price|previously|originally|orig(?:inal price|\.)|"
    r"strike price|au lieu de|avant|ancien prix|prix barré|"
    r"antes|precio anterior|en lugar de|en vez de|era|prima|invece di|anziché|al posto di|"
    r"em vez de|i stedet for|i stället för|før|före|tidigare|voorheen|in plaats van|"
    r"zamiast|było|poprzednio|stara cena|místo|původně|původní cena|dříve|namiesto|helyett|eredeti ár|"
    r"ennen|în loc de|вместо|было|старая цена|раньше|原价|原價"
)
"""Pattern of the words before a price that is no longer asked."""

RECOMMENDED_WORDS = (
    r"rrp|msrp|srp|mrp|compared? (?:at|to)|regular(?: price)?|reg\.(?: price)?|list(?: price)?|"
    r"uvp(?: des herstellers)?|unverb\. preisempf\.|unverbindliche preisempfehlung|listenpreis|normalpreis|"
    r"prix conseillé|prix public|pvpr|precio regular|precio de lista|listino|prezzo pieno|prezzo di listino|"
    r"ord(?:\.|inarie)(?: pris)?|adviesprijs|norm\.|通常価格|定価|市场价"
)
"""Pattern of the words before a recommended price, which is the one that is asked unless another stands beside it."""

NOW_WORDS = (
    r"now(?: only)?|jetzt(?: nur)?(?: noch)?|nur(?: noch)?|heute|neu(?:er preis)?|aktuell|aktionspreis|angebotspreis|"
    r"sonderpreis|(?:unser|ihr|dein) preis|notre prix|nuestro precio|il nostro prezzo|nostro prezzo|nasza cena|"
    r"sale(?: price)?|special(?: price)?|our price|your price|only|today|reduced to|current price|you pay|"
    r"maintenant|aujourd'hui|soldé(?: à)?|promo|seulement|nouveau prix|prix soldé|"
    r"ahora|hoy|solo|sólo|precio actual|oferta|ora(?: solo)?|adesso|oggi|scontato|offerta|agora|apenas|"
    r"nu(?: endast)?|nå|nyt|nu(?: maar)?|vandaag|teraz|obecnie|nowa cena|nyní|teď|teraz len|most(?: csak)?|acum|"
    r"сейчас|теперь|стало|новая цена|今なら|特価|セール|セール価格|现价|現價|特价"
)
"""Pattern of the words before the price that is asked now."""

SAVED_WORDS = r"(?:you )?save|sie sparen|sparen sie|ersparnis|gespart|vous économisez|économisez|ahorras?|risparmi"
"""Pattern of the words before what a buyer saves."""

_TAX = r"(?:mwst|mehrwertsteuer|ust|vat|gst|tax(?:es)?|tva|iva|btw|moms|mva|dph|vat|alv|áfa|kdv|ндс|steuer)"
NOISE_WORDS = (
    r"price|prix|preis|precio|preço|prezzo|prijs|pris|cena|ár|цена|価格|价格|vk|pvp|preu|"
    r"only|nur|just|now|each|ttc|total|ca\.?|circa|approx\.?|about|"
    rf"(?:incl(?:\.|uding|uding of|udes|us[aoe]?)?|inc\.?|inkl\.?|inklusive|einschl\.?|m\.|s|z|с|вкл\.?|included)"
    rf" (?:\d\d? ?% )?(?:all )?(?:gesetzl\. |ges\. )?{_TAX}\.?|"
    rf"{_TAX}\.? (?:incl(?:uded|us[aoe]?|uido|\.)?|inc\.?|inkl\.?|compris[e]?|inclus[aoe]?|incluido|incluído)|"
    r"(?:zzgl|excl|plus|hors|\+|más|più)\.? (?:versand(?:kosten)?|vsk\.?|shipping|livraison|envío|spedizione)|"
    r"brutto|gross|税込み?|含税|vb|vhb|o\.n\.o\.?|ono|fixed price|festpreis"
)
"""Pattern of the words around a price that do not change it."""

_PIECE = (
    r"stück|stck\.?|stk\.?|st\.?|artikel|paar|pair|pr\.?|set|satz|pack(?:ung|age)?|pck\.?|karton|box|ve|"
    r"pieces?|pcs?\.?|ea\.?|each|item|unit|dozen|pièces?|pce\.?|unité|u\.?|paire|boîte|lot|"
    r"unidad|ud\.?|uds\.?|pieza|pz[as]?\.?|par|pezzo|cad\.?|confezione|paio|unidade|un\.?|"
    r"stuks?|per stuk|szt\.?|sztuka|sztukę|ks|kus|kpl|kpl\.|buc\.?|db|adet|шт\.?|пара|kom\.?|個|点|件|只|本|枚|개|lbr|"
    r"styck|styk|stk"
)
PER_PIECE = rf"(?:(?:/|per|pro|je|par|la|por|al|cada|za|за|a) ?(?:1 ?)?(?:{_PIECE})|each|ea\.?|cad\.|c/u|p\.p\.)"
"""Pattern of what says that a price is that of one piece, as it is sold."""

PER_QUANTITY = (
    r"(?:/|per|pro|je|par|por|al|le|za|за) ?(?:\d+(?:[.,]\d+)? ?)?"
    r"(?:kg|kilo(?:s|gram)?|g|gr|gramm?|mg|t|tonne|lbs?|oz|l|liter|litre|litro|lt|dl|cl|ml|fl\.? ?oz|gal(?:lon)?|"
    r"m|m2|m²|qm|m3|m³|cbm|lfm|lfdm|cm|mm|meter|metre|metro|ft|sq\.? ?ft|yd|yard|inch|км|м|кг|г|л|"
    r"month|monat|mon\.?|mo\.?|mois|mes|mese|year|jahr|an|año|anno|day|tag|jour|día|giorno|week|woche|hour|stunde|std\.?|h|"
    r"night|nacht|nuit|person|pers\.?|tablet(?:te)?|kapsel|portion|100)\.?"
)
"""Pattern of what says that a price is that of a weight, a length, a time and the like, not of the product."""

LOOKALIKES = str.maketrans(
    {
        **dict.fromkeys("‐‑‒–—―−", "-"),
        **dict.fromkeys("’‘‛′`´ʼʹ＇", "'"),
        "٫": ".",
        "٬": "'",  # it stands for thousands only
        "،": ",",
        "\0": " ",
        "～": "~",
    }
)
"""The ASCII characters that stand for dashes, apostrophes and separators of other scripts."""
