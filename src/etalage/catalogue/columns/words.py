"""The words in the headers of shops' tables, by what they say about a column, in the languages of the shop systems.

English, German, French, Spanish, Italian, Portuguese, Dutch and Polish, and the commonest words of some others, in
small letters and without accents.
"""

import unicodedata
from collections.abc import Mapping

__all__ = ["CURRENCIES", "HEADS", "SHORT_WORDS", "WORDS", "Tag", "fold"]

_LETTERS = str.maketrans({"ł": "l", "ø": "o", "æ": "ae", "đ": "d", "ı": "i", "œ": "oe"})

Tag = str
"""What a word says about a column: the role it may have, which of several it is, or "other" for none of them."""

_WORDS: Mapping[Tag, str] = {
    # What a column may hold.
    "title": "title titles titel titre titulo tytul tytuly titolo otsikko 标题 標題 タイトル",
    "name": """name names nom noms nombre nombres nome nomes naam namen nazwa nazwy navn namn nimi nazev
        bezeichnung benennung designation denominacion denominazione denominacao libelle intitule benaming 名称
        名稱 品名 商品名 이름 название наименование назва""",
    "category": """category categories kategorie kategorien categorie categorieen categoria categorias
        kategoria kategori kategorier kategorija kategoriat rubrik rubriken rubrique rubriques warengruppe
        warengruppen produktgruppe produktgruppen artikelgruppe artikelgruppen department departments
        abteilung departement departamento reparto dzial breadcrumb breadcrumbs taxonomy категория категории
        категорія 分类 分類 类别 カテゴリ カテゴリー 카테고리""",
    "kind": """type types typ typen tipo tipos soort rodzaj group groups gruppe gruppen groupe grupo gruppo
        groep grupa collection collections kollektion coleccion collezione colecao collectie kolekcja label
        familie famille familia famiglia rodzina sortiment gamme gama genre""",
    "price": """price prices prix preis preise precio precios prezzo prezzi preco precos prijs prijzen cena
        ceny pris priser hinta tarif tarifs tarifa tariffa fiyat fiyati pret kaina цена цены ціна 价格 價格 価格 値段
        定价 售价 销售价 가격 판매가 السعر سعر τιμη ราคา harga vk vkp pvp""",
    "rrp": "msrp rrp uvp pvpr srp mrp ppc 定価 市场价 소비자가",
    "amount": "amount montant betrag importe importo bedrag kwota",
    "image": """image images img imgs picture pictures pic pics photo photos foto fotos bild bilder titelbild
        imagen imagenes immagine immagini imagem imagens afbeelding afbeeldingen zdjecie zdjecia obraz obrazy
        obrazek obrazki billede billeder kuva kuvat gorsel resim изображение изображения фото 图片 主图 圖片 画像 写真
        이미지 صورة""",
    "code": """sku skus id ids code codes codigo codice nr no num number numero nummer numbers ean gtin upc
        isbn asin mpn barcode ref reference referencia referenz riferimento referentie kod kodu indeks index
        artnr artikelnr uuid guid identifier ugs""",
    # Which price, which category, which picture.
    "regular": "regular full normal standard regulaer regularer regulaerer regulier normaal regularna habituel",
    "selling": "販売 selling sell sales verkauf verkaufs vente venta vendita venda verkoop sprzedaz sprzedazy salg",
    "retail": "retail listino katalog catalog catalogue catalogo cataloog",
    "list": "list liste listen",
    "unit": "unit unitaire unitario unitaria einzel stueck stuck piece pieza pezzo stuk",
    "sale": """sale special promo promos promotional promotion promotionnel promocional promocion promozionale
        promocyjna promocja offer angebot angebots aktion aktions sonder oferta offerta aanbieding actie
        reduced reduziert discounted solde soldes rebajado rebajas scontato saldi deal clearance""",
    "gross": "gross brutto bruto lordo brut ttc ivato verollinen 税込 税込み 含税",
    "net": "net netto neto nett ht veroton 税抜 税抜き 税別 不含税",
    "tax": """tax taxes taxe vat gst mwst ust steuer steuern tva iva btw dph moms mva kdv pdv ddv alv pvm pvn impuesto
        impuestos imposto podatek ндс ддс пдв φπα""",
    "incl": """incl inkl including included inclusive inc incluido incluidos incluida incluso inclusa incluse
        inclus compris comprise comprises with mit avec con com met z ze wliczony med vc vcetne vratane sis
        dahil cu su с με вкл toutes""",
    "excl": """excl exkl excluding excluded exclusive ex exc ohne sans sin senza sem zonder bez hors without
        zzgl escl esclusa escluse escluso excluido excluidos excluida eks ekskl utan uden brez haric fara be без
        χωρις""",
    "main": """main master primary haupt principal principale principais hero cover base basis default front
        featured glowne glowny glowna hoofd""",
    "sub": "sub unter sous sotto",
    "further": """additional other weitere weiteres weiterer zusatz zusaetzlich zusaetzliche extra gallery
        galerie galeria galleria more secondary alternate alternative autre autres supplementaire
        supplementaires adicional adicionales adicionais otras otra altre altra aggiuntiva aggiuntive
        dodatkowe outras outra overige""",
    "thumb": "thumbnail thumbnails thumb thumbs small mini miniature miniatura vorschau preview klein",
    "link": """链接 source url urls link links src href file files path paths datei dateien dateiname pfad
        fichier fichiers chemin archivo arquivo bestand plik filename lien enlace collegamento adres hosted
        location""",
    "product": """product products produkt produkte produit produits producto productos prodotto prodotti
        produto produtos produktu produktow article articles artikel artikels articulo articulos articolo
        articoli artigo artigos item items variant variants variante varianten wariant ware waren товар 商品 产品
        製品 상품""",
    "neutral": """de du des la le les el los las der die das den dem di del della dello dei os as da do dos an
        of for the in to per pro par van voor het een na dla und and et en level""",
    "discount": """discount discounts rabatt rabatte remise reduction descuento descuentos sconto desconto
        korting rabat znizka nachlass""",
    # Whose name it is, where it is not the product's.
    "place": """shop store stores website site domain first last user users company firm page seller market
        marketplace channel sheet merchant tienda negozio loja winkel sklep boutique""",
    "other": """
        rating ratings rated review reviews star stars score scores bewertung bewertungen sterne rezension
        rezensionen avis evaluation evaluations etoiles note notes resena resenas valoracion valoraciones
        calificacion puntuacion estrellas recensione recensioni valutazione valutazioni stelle avaliacao
        avaliacoes estrelas beoordeling beoordelingen sterren ocena oceny opinie recenzje gwiazdki vote votes
        rank ranking likes views рейтинг 評価 评分 popularity betyg hodnoceni recenze puan yorum оценка отзывы

        weight weights gewicht gewichte poids peso waga masa mass massa vikt vaegt вес 重量 width breite largeur
        ancho anchura larghezza largura breedte szerokosc height hoehe hohe hauteur alto altura altezza hoogte
        wysokosc length laenge lange longueur largo longitud lunghezza comprimento lengte dlugosc depth tiefe
        profondeur fondo profundidad profondita profundidade diepte glebokosc diameter durchmesser diametre
        diametro volume volumen size sizes groesse groessen grosse grossen taille tailles talla tallas taglia
        taglie tamanho maat rozmiar rozmiary dimension dimensions abmessung abmessungen masse dimensiones
        dimensioni dimensoes afmeting afmetingen wymiary capacity kg gramm gram grams lb lbs oz liter litre
        litro litr ml kilo kilogramm cm mm inch inches qm sqm m2 g pcs pieces percent percentage prozent
        pourcentage hmotnost sirka vyska delka bredd hojd langd bredde hoejde agirlik genislik yukseklik размер
        ширина высота длина packung

        stock stocks inventory quantity qty menge mengen anzahl lager lagerbestand quantite cantidad existencias
        inventario quantita giacenza scorta scorte quantidade estoque aantal voorraad ilosc magazyn magazynowy
        availability available verfuegbar verfuegbarkeit verfugbar verfugbarkeit disponibilite disponible dispo
        disponibilidad disponibilita disponibilidade beschikbaarheid dostepnosc count sold ordered количество
        остаток 库存 在庫 在庫数 재고 moq ve antal sklad skladem stok adet наличие stueckzahl stuckzahl

        cost costs kosten koszt koszty costo coste costos costes cout couts custo custos kostpris ek ekp ekpreis
        einkauf einkaufs purchase purchasing buying achat achats compra compras acquisto inkoop zakup zakupu
        wholesale grosshandel grosshandels gros grossist haendler handler dealer trade reseller mayorista
        ingrosso atacado groothandel hurt hurtowa b2b landed pseudo purchaseprice tier staffel graduated bulk
        ratio grund map margin margins marge marza margen margine margem profit gewinn benefice ganancia markup
        aufschlag cogs inkop inkops indkobspris nakupni maliyet закупочная оптовая опт
        χονδρικης alis 原価 仕入 成本价 批发价 공급가 원가
        cent cents ct cts pence penny centimes centimos centavos centesimi rappen ore grosze kopeken paise micros minor
        thousand thousands minimum maximum minimal maximal min
        max lowest highest niedrigster niedrigste najnizsza laagste bas minimo massimo maximo omnibus range drop
        change history installment installments monthly rental rent total totals subtotal sum summe gesamt
        umsatz revenue turnover spanne deckungsbeitrag

        compare compared comparison was old alt alter alte altpreis ancien ancienne antiguo anterior vecchio
        precedente antigo oude stara stary poprzednia previous former before strike striked streich statt barre
        tachado barrato initial старая

        shipping shipment versand lieferung liefer livraison envio spedizione frete verzend verzending bezorging
        wysylka wysylki dostawa dostawy delivery postage freight porto fracht transport transporte handling
        fulfillment fulfilment доставка 送料 运费 frakt fragt doprava kargo lieferzeit

        points point punkte puntos punti pontos punten punkty loyalty reward rewards credits deposit deposits
        pfand caution consigne deposito cauzione statiegeld kaucja tip fee fees surcharge gebuehr ecotax
        ecoparticipation participation скидка indirim

        date dates datum datums fecha fechas time year jahr annee ano anno jaar rok month created updated
        modified until valid since effective expiry expires age дата 日付

        currency currencies waehrung wahrung devise moneda valuta waluta moeda status state condition zustand
        etat estado stato conditie stan visible visibility sichtbar published active aktiv actif activo attivo
        ativo actief aktywny enabled flag flg display show hide hidden delete has is position order sort
        sortierung priority tracking policy class klasse classe clase rule method set view template layout meta
        seo keyword keywords tag tags slug handle

        description descriptions beschreibung beschreibungen descripcion descrizione descricao omschrijving opis
        content inhalt text texte texto testo tekst html remark remarks bemerkung comment comments caption
        altname option options attribute attributes attribut atributo attributo atrybut property properties
        feature features merkmal eigenschaft value values wert werte valeur valor valore color colors colour
        colours farbe farben couleur couleurs kolor kleur kleuren cor colore gender geschlecht sexe genero
        genere material materials materiau season saison brand brands marke marken marca marcas marque marques
        merk merken marka manufacturer hersteller fabricant fabricante produttore producent producer vendor
        supplier suppliers lieferant lieferanten fournisseur proveedor fornitore fornecedor leverancier dostawca
        maker designer author artist country countries land pays pais paese kraj origin language sprache langue
        idioma lingua taal jezyk region email phone address city customer customers kunde kunden client clients
        cliente klant klient buyer orders invoice transaction video swatch logo icon credit copyright hash
        colorway style styles variation variations start starting auction reserve bid bids
        """,
}


def fold(text: str) -> str:
    """Return a text in small letters without accents: é becomes e, and ß ss.

    Args:
        text: A text in any script.
    """
    folded = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    return "".join(c for c in folded if not unicodedata.combining(c)).casefold()


WORDS: Mapping[str, Tag] = {fold(word): tag for tag, words in _WORDS.items() for word in words.split()}
"""What each word says; "kind" stands for weak words for a category, "other" for what no role has."""

CURRENCIES = frozenset(
    (
        *("aed", "aud", "brl", "cad", "chf", "cny", "czk", "dkk", "eur", "gbp", "hkd", "huf", "inr", "jpy", "krw"),
        *("kwd", "mxn", "nok", "nzd", "pln", "ron", "rub", "sar", "sek", "sgd", "try", "usd", "zar", "euro", "euros"),
    )
)
"""The words for a currency, which tell one price from another and say nothing else."""

HEADS = (
    *("preis", "preise", "prijs", "bild", "bilder", "foto", "fotos", "afbeelding", "kategorie", "categorie", "gruppe"),
    *("bezeichnung", "benennung", "titel", "naam", "nummer", "kosten", "gewicht", "menge", "bestand", "breite"),
    *("datum", "steuer", "bewertung", "groesse", "grosse", "farbe", "zeit", "zahl"),
)
"""The ends of compounds whose beginning may be any word, as in Wunschpreis."""

SHORT_WORDS = frozenset(
    (
        *("ek", "vk", "id", "ids", "nr", "url", "src", "img", "pic", "sku", "ean", "uvp", "rrp", "sub", "net", "tax"),
        *("vat", "alt", "seo"),
    )
)
"""The words of less than four letters that are recognised within words written together, as in imgurl."""
