"""Names that people, carriers and phone systems give to the columns of a file of numbers.

Sources: the public documentation of Telnyx, Twilio, Bandwidth, DIDWW, voip.ms, Flowroute, Microsoft Teams, Zoom,
RingCentral, FusionPBX, FreePBX, NetSapiens, Kazoo, CUCM, ASTPP, A2Billing, NetBox, 3CX, Wazo and Yeastar; and the usual
words in English, French, German, Spanish, Italian, Portuguese, Dutch, Russian, Polish, Chinese and Japanese.
"""

import re
import unicodedata

#: Columns that an import acts on, and those that it reads to say that they are so already.
COLUMNS = (
    "number", "used_by", "company", "reserved_for", "var", "use", "provider", "status", "label", "caller_name", "voice",
    "sms", "fax", "country", "area",
)  # fmt: skip
HEADINGS = {
    "number": """
        number|numbers|phone number|phone numbers|phone|phones|phone no|telephone|telephone number|telephone no|tel
        tel no|did|dids|did number|did numbers|ddi|ddi number|tn|tns|full number|e164|e164 number|number e164|msisdn
        line|line uri|phone number e164|telephone number e164|destination number|did ddi|pattern|did pattern|matchrule
        main number
        match rule|inbound number|incoming number|toll free number|incall exten|directory number|directory number 1
        dn|cli|subscriber number|virtual number|service number|mobile number|mobile|cell|cell phone|contact number|value
        external number|public number|assigned number|caller id number|number called
        numero|numeros|n|no|num|numero de telephone|telephone|numero d appel|ligne|sda|ndi|numero sda|numero de ligne
        n de telephone|no de telephone|n de tel|n de telefono|n di telefono|no de telefono|n de telefone
        nummer|nummern|rufnummer|rufnummern|telefonnummer|telefonnummern|telefon|durchwahl|msn|telefonnr|rufnr
        telefono|numero de telefono|linea|numero de linea|numero telefonico|numeros de telefono|movil
        numero di telefono|telefoni|numero telefonico|cellulare|numerazione
        numero de telefone|telefone|telefones|linha|ddr|telemovel|celular
        telefoonnummer|telefoon|nummers|numer|numer telefonu|telefon komorkowy|номер|номера|телефон|номер телефона
        电话|电话号码|号码|電話番号|番号|電話|電話號碼|전화번호|번호|מספר טלפון|رقم الهاتف
        الرقم|αριθμος|τηλεφωνο
    """,
    "company": """
        company|company name|customer|customer name|client|client name|tenant|organization|organisation|account name
        entreprise|societe|raison sociale|nom du client|firma|unternehmen|kunde|kundenname|gesellschaft
        empresa|cliente|compania|razon social|organizacion|azienda|societa|ditta|ragione sociale|organizzazione
        companhia|razao social|organizacao|bedrijf|klant|klient|компания|клиент|会社|会社名|客户|公司
    """,
    "used_by": "used by|utilise par|verwendet von|usado por|usata da|usato da|rings",
    "reserved_for": "reserved for|reserve pour|reserviert fur|reservado para|riservato a",
    "var": "var|reseller|revendeur",
    "use": "use",
    "provider": """
        provider|carrier|operator|supplier|carrier name|provider name|fournisseur|operateur|prestataire|anbieter
        netzbetreiber|lieferant|proveedor|operador|operadora|fornitore|operatore|gestore|fornecedor|provedor
        оператор|provedor de telefonia|carrier module|pstn partner name|partner name
    """,
    "status": """
        status|number status|phone number status|state|activation state|pstn assignment status|assignment status|enabled
        statut|etat|zustand|estado|estatus|stato|situacao|статус|状态|状態|number state|destination enabled
    """,
    "label": """
        label|labels|description|descriptions|note|notes|comment|comments|remark|remarks|friendly name|alias
        display name|destination description|dial rule description|tag|tags|customer reference
        libelle|etiquette|commentaire|remarque|remarques|bezeichnung|beschreibung|etikett|bemerkung|bemerkungen|notiz
        kommentar|etiqueta|descripcion|nota|comentario|observaciones|etichetta|descrizione|commento|osservazioni
        rotulo|descricao|observacao|observacoes|omschrijving|opis|описание|примечание|метка|备注|標籤|備考|ラベル|名称
    """,
    "caller_name": """
        caller name|cnam|caller id name|calling name|outbound caller id name|cnam outbound|destination caller id name
        nom de l appelant|anrufername|nombre del llamante|nome do chamador|nome chiamante|display 1|alerting name 1
    """,
    "voice": "voice|voice enabled|voix|sprache|voz|voce",
    "sms": "sms|text|sms enabled|messaging",
    "fax": "fax|fax enabled|t38",
    # Whose calling code, or calling code itself, belongs before the number.
    "country": """
        country|country code|iso country|iso country code|calling code|dial code|destination prefix|pays|land|pais|paese
        landeskennzahl|landesvorwahl|landervorwahl|indicatif pays|iso|iso code|prefijo pais|страна|国|国家
    """,
    # The part of a number that some write in a column before it.
    "area": """
        area code|areacode|npa|std code|city code|dialling code|dialing code|prefix|vorwahl|ortsvorwahl|ortskennzahl
        indicatif|indicatif regional|prefijo|prefisso|ddd|codigo de area|prefixo|kierunkowy|netnummer|код города
    """,
}
#: Of what is called a number: what may be somebody else's, where a file has another column of numbers.
PERSONAL = """
    mobile number|mobile|cell|cell phone|contact number|cli|caller id number|number called|movil|cellulare|telemovel
    celular|telefon komorkowy|external number
"""
#: What systems say of their numbers that means something else here: recognised, never acted on.
FOREIGN = """
    number type|type|phone number type|assigned to|destination|ext|extension|site|area|capability|capabilities
    external phone number mask 1
    monthly fee usd|setup fee usd|per minute cost usd|call type|account|connection|connection name|sid
    purchased at|created|modified|domain|treatment|region|city|price|monthly cost|expires at|tier|rate center|routing
    pop
"""


#: Names that programs write exactly so, and that mean something else than ours: Kazoo's is the application that a
#: number leads to.
OF_PROGRAMS = frozenset({"used_by"})


def key(text: str) -> str:
    """A heading as it is compared: letters and digits alone, no case, no accents; a camel's humps and brackets go.

    ``Phone Number``, ``phone_number``, ``PhoneNumber`` and ``phone-number`` are one name.
    """
    text = unicodedata.normalize("NFKD", text.replace("ß", "ss").casefold())
    return re.sub(r"[\W_]+", "", "".join(c for c in text if not unicodedata.combining(c)))


NAMES = {
    key(name): column
    for column, names in HEADINGS.items()
    for line in names.strip().splitlines()
    for name in line.split("|")
    if key(name)
}
PERSONAL_NAMES = frozenset(key(name) for line in PERSONAL.strip().splitlines() for name in line.split("|"))
#: FreePBX' inbound routes: the numbers are called extensions, and *cidnum* are those of callers.
FREEPBX = frozenset(("cidnum", "extension", "destination"))
FOREIGN_NAMES = frozenset(key(name) for line in FOREIGN.strip().splitlines() for name in line.split("|"))


def column_of(heading: str, own: dict[str, str]) -> str:
    """The column that a heading names; empty where none. ``own`` are the keys of the portal's own headings, in the
    reader's language."""
    if heading in OF_PROGRAMS:
        return ""
    found = key(heading.lstrip("\ufeff#"))
    return own.get(found) or NAMES.get(found, "")


def is_known(heading: str) -> bool:
    """Whether a heading is one of a system that we know, though it means nothing here."""
    return key(heading) in FOREIGN_NAMES
